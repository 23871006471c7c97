import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type SocketLimits, usualSocketLimits } from './gateway/limits/socket.js';
import { throughPooler } from './platform/database/pooler.js';
import type { EmbeddingsSettings } from './platform/embeddings/choice.js';
import { usualFloor } from './platform/embeddings/embeddings.js';
import { oidcIssuers } from './platform/tokens/oidc.js';
import type { UpstashVectors } from './platform/vectors/upstash.js';
import type { UpstashRedis } from './platform/wakeups/upstash.js';

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );
const origins = list.refine(
  (all) => all.every((one) => URL.canParse(one) && new URL(one).origin === one),
  'must be origins such as https://app.example.com, separated by commas',
);
const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((text) => text === 'true')
  .optional();
const count = (least: number, most: number) =>
  z.string().regex(/^\d+$/, 'must be a whole number').transform(Number).pipe(z.number().min(least).max(most));

const rules = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  PORT: count(0, 65_535).optional(),
  HOST: z.string().min(1).optional(),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    .transform((url) => new URL(url).origin)
    .optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
    .optional(),
  DATABASE_POOL: count(2, 200).default(10),
  CANOPY_HOME: z
    .string()
    .min(1)
    .default('.canopy')
    .transform((path) => resolve(path)),
  BLOB_READ_WRITE_TOKEN: z
    .string()
    .regex(/^vercel_blob_rw_\w+$/, 'must be a token of Vercel Blob, which begins with vercel_blob_rw_')
    .optional(),
  VERCEL_BLOB_API_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  AUTH_SECRET: z.string().min(32, 'must be at least 32 characters').optional(),
  OIDC_ISSUERS: oidcIssuers,
  UPSTASH_VECTOR_REST_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  UPSTASH_VECTOR_REST_TOKEN: z.string().optional(),
  EMBEDDINGS_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  EMBEDDINGS_KEY: z.string().optional(),
  EMBEDDINGS_MODEL: z.string().max(100).optional(),
  EMBEDDINGS_DIMENSIONS: count(16, 8_192).default(1_536),
  EMBEDDINGS_FLOOR: z.coerce.number().min(0).max(1).default(usualFloor),
  CORS_ORIGINS: origins,
  TRUSTED_PROXIES: count(0, 10).default(0),
  INTROSPECTION: z.enum(['public', 'authenticated', 'off']).optional(),
  GRAPHIQL: flag,
  DEMO_WORLD: flag,
  WAKEUPS: z.enum(['postgres', 'upstash', 'process'], 'must be postgres, upstash or process').optional(),
  UPSTASH_REDIS_REST_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  UPSTASH_REDIS_REST_TOKEN: z.string().optional(),
  JOB_WORKERS: count(0, 50).optional(),
  ASSISTANT_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  ASSISTANT_KEY: z.string().min(1).optional(),
  ASSISTANT_MODEL: z.string().min(1).optional(),
  SOCKET_CONNECTIONS: count(1, 100_000).default(usualSocketLimits.connections),
  SOCKET_SUBSCRIPTIONS: count(1, 10_000).default(usualSocketLimits.subscriptions),
  SOCKET_MESSAGE_BYTES: count(1_024, 64 * 1024 * 1024).default(usualSocketLimits.messageBytes),
  SOCKET_MESSAGES: count(1, 10_000).default(usualSocketLimits.messagesPerSecond),
  CRON_SECRET: z.string().min(16, 'must be at least 16 characters').optional(),
  LOG_LEVEL: z.enum(['info', 'warn', 'error', 'silent']).default('info'),
  VERCEL: z.string().optional(),
});

/** Every setting, checked and with its default. README lists them. */
export interface Env {
  readonly production: boolean;
  readonly port: number;
  /** Whether the port was asked for: then it must be that one. */
  readonly portIsGiven: boolean;
  readonly host: string;
  /** Null: the address that the server listens at. */
  readonly publicUrl: string | null;
  /** Null: the embedded Postgres. */
  readonly databaseUrl: string | null;
  readonly databasePool: number;
  readonly home: string;
  /** Of the store of Vercel's where files are kept; null: they are kept in `home`. */
  readonly blobToken: string | null;
  /** Null: one is made and kept in `home`. */
  readonly authSecret: string | null;
  readonly oidcIssuers: z.output<typeof oidcIssuers>;
  /** Null: in Postgres. */
  readonly vectors: UpstashVectors | null;
  /** Null: the model that comes with the packages. */
  readonly embeddings: EmbeddingsSettings | null;
  readonly corsOrigins: readonly string[];
  readonly trustedProxies: number;
  readonly introspection: 'public' | 'authenticated' | 'off';
  readonly graphiql: boolean;
  readonly demoWorld: boolean;
  /** What lets other processes hear at once that something was written. */
  readonly wakeups: 'postgres' | 'process' | UpstashRedis;
  /** How many short jobs this process works on at once, and as many long ones; 0: none. */
  readonly jobWorkers: number;
  /** What POST /api/cron/… takes as its bearer token; null: those routes are not there. */
  readonly cronSecret: string | null;
  /** What one client may take of the sockets. */
  readonly sockets: Partial<SocketLimits>;
  /** Null: no model answers in chats, but extracts of what a space holds. */
  readonly assistant: { readonly url: string; readonly key: string | null; readonly model: string } | null;
  readonly logLevel: 'info' | 'warn' | 'error' | 'silent';
  /** Whether a host calls the server that is exported: then it listens nowhere itself. */
  readonly hosted: boolean;
  /** Whether npm runs us, with a shell in between. */
  readonly underNpm: boolean;
}

/** Settings that do not work, all of them, each with what to do. */
export class WrongSettings extends Error {
  override readonly name = 'WrongSettings';
}

/** The settings of `.env`, then of the environment, which wins. Throws WrongSettings that lists everything wrong at once. */
export function readEnv(source: Readonly<Record<string, string | undefined>> = fromProcess()): Env {
  // An empty setting, as a copied .env.example has them, is one that was not made.
  const result = rules.safeParse(Object.fromEntries(Object.entries(source).filter(([, value]) => value !== '')));
  const wrong = result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const production = source['NODE_ENV'] === 'production';
  if (production && !source['AUTH_SECRET'])
    wrong.push(
      'AUTH_SECRET: is needed in production: 32 random characters or more, such as `openssl rand -base64 48` prints',
    );
  if (production && !source['PUBLIC_URL'])
    wrong.push('PUBLIC_URL: is needed in production: the address that clients use, such as https://api.example.com');
  if (production && source['DEMO_WORLD'] === 'true')
    wrong.push('DEMO_WORLD: cannot be true in production: its passwords are known to all');
  if ((source['ASSISTANT_URL'] ?? '') !== '' && !source['ASSISTANT_MODEL'])
    wrong.push('ASSISTANT_MODEL: is needed with ASSISTANT_URL: the name of the model there, such as gpt-4o-mini');
  if (result.success) wrong.push(...halves(result.data), ...(result.data.VERCEL ? missingOnVercel(result.data) : []));
  if (wrong.length > 0 || !result.success) {
    throw new WrongSettings(
      `Canopy cannot start with these settings (environment or .env):\n${wrong.map((line) => `  - ${line}`).join('\n')}\nREADME.md explains each of them.`,
    );
  }
  const made = result.data;
  const { SOCKET_CONNECTIONS: connections, SOCKET_SUBSCRIPTIONS: subscriptions } = made;
  const { SOCKET_MESSAGE_BYTES: messageBytes, SOCKET_MESSAGES: messagesPerSecond } = made;
  const demoWorld = made.DEMO_WORLD ?? (!production && made.DATABASE_URL === undefined);
  return {
    production,
    port: made.PORT ?? 4_000,
    portIsGiven: made.PORT !== undefined,
    host: made.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
    publicUrl: made.PUBLIC_URL ?? null,
    databaseUrl: made.DATABASE_URL ?? null,
    databasePool: made.DATABASE_POOL,
    home: made.CANOPY_HOME,
    blobToken: made.BLOB_READ_WRITE_TOKEN ?? null,
    authSecret: made.AUTH_SECRET ?? null,
    oidcIssuers: made.OIDC_ISSUERS,
    vectors: vectorsOf(made),
    embeddings: embeddingsOf(made),
    corsOrigins: made.CORS_ORIGINS,
    trustedProxies: made.TRUSTED_PROXIES,
    introspection: made.INTROSPECTION ?? (demoWorld ? 'public' : 'authenticated'),
    graphiql: made.GRAPHIQL ?? !production,
    demoWorld,
    wakeups: wakeupsOf(made),
    jobWorkers: made.JOB_WORKERS ?? (made.VERCEL ? 0 : 2),
    cronSecret: made.CRON_SECRET ?? null,
    sockets: { connections, subscriptions, messageBytes, messagesPerSecond },
    assistant: assistantOf(made),
    logLevel: made.LOG_LEVEL,
    hosted: made.VERCEL !== undefined,
    underNpm: source['npm_lifecycle_event'] !== undefined,
  };
}

function assistantOf(made: z.output<typeof rules>): Env['assistant'] {
  const { ASSISTANT_URL: url, ASSISTANT_KEY: key, ASSISTANT_MODEL: model } = made;
  return url === undefined || model === undefined ? null : { url: url.replace(/\/+$/, ''), key: key ?? null, model };
}

type Made = z.output<typeof rules>;

/** Settings that work only together. */
function halves(made: Made): string[] {
  const wrong: string[] = [];
  if (!made.UPSTASH_VECTOR_REST_URL !== !made.UPSTASH_VECTOR_REST_TOKEN)
    wrong.push('UPSTASH_VECTOR_REST_URL, UPSTASH_VECTOR_REST_TOKEN: are set together or not at all');
  if (!made.UPSTASH_REDIS_REST_URL !== !made.UPSTASH_REDIS_REST_TOKEN)
    wrong.push('UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN: are set together or not at all');
  if (made.WAKEUPS === 'upstash' && !made.UPSTASH_REDIS_REST_URL)
    wrong.push('WAKEUPS: upstash needs UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN');
  if (made.WAKEUPS === 'postgres' && throughPooler(made.DATABASE_URL ?? ''))
    wrong.push(
      'WAKEUPS: cannot be postgres behind a pooler (pgbouncer=true in DATABASE_URL), where nobody can listen: upstash, or process',
    );
  if (made.EMBEDDINGS_URL && !made.EMBEDDINGS_MODEL)
    wrong.push('EMBEDDINGS_MODEL: is needed with EMBEDDINGS_URL, such as text-embedding-3-small');
  if (made.EMBEDDINGS_MODEL && !made.EMBEDDINGS_URL && !made.UPSTASH_VECTOR_REST_URL)
    wrong.push('EMBEDDINGS_MODEL: needs EMBEDDINGS_URL, or UPSTASH_VECTOR_REST_URL when it is the model of that index');
  return wrong;
}

/** What has to be said on Vercel, where no disk lasts and no process lives between requests. */
function missingOnVercel(made: Made): string[] {
  const wrong: string[] = [];
  if (!made.DATABASE_URL) wrong.push('DATABASE_URL: is needed on Vercel, which has no place for the embedded Postgres');
  if (!made.BLOB_READ_WRITE_TOKEN) wrong.push('BLOB_READ_WRITE_TOKEN: is needed on Vercel, where no disk lasts');
  if (!made.CRON_SECRET) wrong.push('CRON_SECRET: is needed on Vercel, where its clock has the jobs done');
  return wrong;
}

function wakeupsOf(made: Made): Env['wakeups'] {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = made;
  const usual = throughPooler(made.DATABASE_URL ?? '') ? 'process' : 'postgres';
  const chosen = made.WAKEUPS ?? (url ? 'upstash' : usual);
  return chosen === 'upstash' ? { url: url ?? '', token: token ?? '' } : chosen;
}

function vectorsOf(made: Made): UpstashVectors | null {
  const { UPSTASH_VECTOR_REST_URL: url, UPSTASH_VECTOR_REST_TOKEN: token } = made;
  return url && token ? { url, token } : null;
}

/** A model without an address is that of the vectors store. */
function embeddingsOf(made: Made): EmbeddingsSettings | null {
  const { EMBEDDINGS_URL: url, EMBEDDINGS_MODEL: model } = made;
  if (!model) return null;
  const shared = { model, dimensions: made.EMBEDDINGS_DIMENSIONS, floor: made.EMBEDDINGS_FLOOR };
  return url ? { url, key: made.EMBEDDINGS_KEY ?? null, ...shared } : { inStore: true, ...shared };
}

function fromProcess(): Readonly<Record<string, string | undefined>> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}
