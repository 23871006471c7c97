import type { Server } from 'node:http';
import { readAudit } from './core/audit.js';
import type { App } from './core/context.js';
import { type EventTail, eventTail } from './core/event-tail.js';
import { addJobs, job, type ScheduledJob } from './core/jobs.js';
import { leaving } from './core/leaving.js';
import { eventMemory } from './core/memory.js';
import { signer } from './core/signing.js';
import { versionsUsed } from './domains/files/last-used.js';
import { lastUsed } from './domains/identity/last-used.js';
import { postViews } from './domains/posts/views.js';
import { liveConnections, sessionsUsed } from './domains/realtime/live-connections.js';
import { documents } from './gateway/documents.js';
import type { EdgeParts, EdgeSettings } from './gateway/edge.js';
import { serve } from './gateway/http/server.js';
import { usualSocketLimits } from './gateway/limits/socket.js';
import { localSchema, readSdl } from './gateway/schema.js';
import { sessionHerald } from './gateway/sign-outs.js';
import { connectionList } from './gateway/socket/connection.js';
import { webSockets } from './gateway/websocket.js';
import { runDueJobs } from './jobs/worker.js';
import { extractiveAssistant } from './platform/assistant/extractive.js';
import type { ModelOptions } from './platform/assistant/model.js';
import { diskBlobs } from './platform/blobs/disk.js';
import { openDatabase } from './platform/database/pool.js';
import { type EmbeddingsSettings, embeddingsOf } from './platform/embeddings/choice.js';
import { betterAuthIssuer, type IssuerLimits } from './platform/issuer/better-auth.js';
import type { Log } from './platform/log.js';
import { graphileQueue } from './platform/queue/graphile.js';
import { type OidcIssuer, oidcTokens } from './platform/tokens/oidc.js';
import { postgresVectors } from './platform/vectors/postgres.js';
import type { UpstashVectors } from './platform/vectors/upstash.js';
import { postgresWakeups } from './platform/wakeups/postgres.js';
import { processWakeups } from './platform/wakeups/process.js';
import type { UpstashRedis } from './platform/wakeups/upstash.js';

/** What it takes to make an App: addresses and secrets, no environment. */
export interface AppOptions {
  readonly databaseUrl: string;
  readonly databasePool: number;
  /** Where clients reach this server, without a trailing slash. */
  readonly publicUrl: string;
  readonly authSecret: string;
  readonly trustedOrigins: readonly string[];
  readonly oidcIssuers: readonly OidcIssuer[];
  /** Missing: the model that comes with the packages. */
  readonly embeddings?: EmbeddingsSettings;
  /** Missing: in Postgres. */
  readonly vectors?: UpstashVectors;
  /** Missing: through Postgres. */
  readonly wakeups?: WakeupsChoice;
  readonly log: Log;
  readonly now?: () => Date;
  /** Hears the text of every SQL statement. */
  readonly observe?: (sql: string) => void;
  readonly issuerLimits?: Partial<IssuerLimits>;
  /** Where the bytes of files are kept. */
  readonly blobs: BlobPlace;
  /** The model that answers in chats; without one, the answers are extracts of what a space holds. */
  readonly assistant?: Omit<ModelOptions, 'log'> | null;
}

/** What wakes other processes: LISTEN/NOTIFY of Postgres, a Redis of Upstash's, or nothing but their slow poll. */
export type WakeupsChoice = 'postgres' | 'process' | UpstashRedis;

/** A directory of this machine, or a store of Vercel's by its token. */
export type BlobPlace = { readonly directory: string } | { readonly vercelToken: string };

/** An App and the way to end it. */
export interface RunningApp {
  readonly app: App;
  /** Writes down what waits, then closes every connection. */
  close(): Promise<void>;
}

/** Picks the drivers and starts what lives as long as the process. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const { databaseUrl: url, log, observe, now = () => new Date() } = options;
  const database = openDatabase({ url, max: options.databasePool, log, observe });
  const wakeups =
    typeof options.wakeups === 'object'
      ? await upstashWakeupsOf(options.wakeups, log)
      : options.wakeups === 'process'
        ? processWakeups(log)
        : postgresWakeups({ url, database, log });
  const memory = eventMemory((): boolean => tail.fresh);
  const tail: EventTail = eventTail({
    database,
    wakeups,
    log,
    forget: (tags) => (tags === 'all' ? memory.forgetAll() : memory.forget(tags)),
  });
  const issuer = betterAuthIssuer({
    prisma: database.prisma,
    baseUrl: options.publicUrl,
    secret: options.authSecret,
    trustedOrigins: options.trustedOrigins,
    now: () => now().getTime(),
    sessionChanged: sessionHerald(() => app),
    ...(options.issuerLimits && { limits: options.issuerLimits }),
  });
  const tokens = oidcTokens({ issuers: options.oidcIssuers, local: issuer, now: () => now().getTime() });
  const audit = readAudit(database, log);
  const embeddings = await embeddingsOf(options.embeddings, options.vectors);
  const vectors = options.vectors ? await upstashOf(options.vectors) : postgresVectors(database);
  const queue = graphileQueue({ url, log });
  const assistant = options.assistant ? await modelOf({ ...options.assistant, log }) : extractiveAssistant();
  const app: App = {
    database,
    issuer,
    tokens,
    wakeups,
    tail,
    memory,
    queue,
    assistant,
    embeddings,
    vectors,
    readAudit: audit,
    blobs:
      'directory' in options.blobs ? diskBlobs(options.blobs.directory) : await vercelOf(options.blobs.vercelToken),
    addresses: signer(options.authSecret, 'addresses of files'),
    clientSessions: signer(options.authSecret, 'sessions of clients'),
    publicUrl: options.publicUrl,
    log,
    now,
  };
  await tail.start();
  // Without a worker for a week, the log would have no place for what happens today.
  await database.query('select canopy_make_partitions()', []);
  return {
    app,
    async close() {
      await queue.close();
      await tail.stop();
      await wakeups.close();
      await embeddings.close();
      await liveConnections(app).end();
      await sessionsUsed(app).flush();
      await lastUsed(app).flush();
      await versionsUsed(app).flush();
      await postViews(app).flush(true);
      await audit.flush();
      await database.close();
    },
  };
}

// What speaks with services outside is large; a process that has none does without.
const modelOf = async (options: ModelOptions) =>
  (await import('./platform/assistant/model.js')).modelAssistant(options);
const vercelOf = async (token: string) => (await import('./platform/blobs/vercel.js')).vercelBlobs(token);
const upstashWakeupsOf = async (settings: UpstashRedis, log: Log) =>
  (await import('./platform/wakeups/upstash.js')).upstashWakeups(settings, log);
const upstashOf = async (settings: UpstashVectors) =>
  (await import('./platform/vectors/upstash.js')).upstashVectors(settings);

/** The gateway over an App, answering on a server. */
export interface Gateway {
  /** Takes nothing new, lets what is being answered finish (10 s at most), tells sockets and streams to go away, then closes the server. */
  drain(): Promise<void>;
}

const drainMs = 10_000;
/** How long subscribers may take to read where to resume. */
const tellMs = 2_000;

/** Lets an App answer on `server`: HTTP, streams over it, and WebSocket. */
export async function startGateway(
  server: Server,
  app: App,
  settings: EdgeSettings,
  graphiql: EdgeParts['graphiql'],
): Promise<Gateway> {
  const sdl = readSdl(new URL('../schema/', import.meta.url));
  const schema = localSchema(sdl);
  const prepared = documents(schema);
  const limits = { ...usualSocketLimits, ...settings.sockets };
  let draining = false;
  const runJobs = async (first: readonly ScheduledJob[], signal: AbortSignal) => {
    await addJobs(
      app.database.query,
      first.map((name) => job(name, {}, { key: name })),
    );
    await runDueJobs(app, signal);
  };
  const parts: EdgeParts = {
    app,
    schema,
    sdl: sdl.join('\n'),
    documents: prepared,
    settings,
    connections: connectionList(limits.connections),
    limits,
    graphiql,
    runJobs,
    draining: () => draining,
  };
  const http = serve(server, parts);
  const sockets = webSockets(server, parts);
  return {
    async drain() {
      draining = true;
      let untold: NodeJS.Timeout | undefined;
      await Promise.race([leaving(app).begin(), new Promise((resolve) => (untold = setTimeout(resolve, tellMs)))]);
      clearTimeout(untold);
      const late = setTimeout(() => server.closeAllConnections(), drainMs);
      // The server listens on meanwhile, so that whoever asks whether it is ready hears that it is not.
      await Promise.all([sockets.close(), http.idle()]);
      clearTimeout(late);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
