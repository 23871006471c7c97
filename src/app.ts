import type { Server } from 'node:http';
import { readAudit } from './core/audit.js';
import type { App } from './core/context.js';
import { dropOldEvents } from './core/event-log.js';
import { type EventTail, eventTail } from './core/event-tail.js';
import { eventMemory } from './core/memory.js';
import { lastUsed } from './domains/identity/last-used.js';
import { apolloServer } from './gateway/apollo.js';
import { documents } from './gateway/documents.js';
import type { EdgeParts, EdgeSettings } from './gateway/edge.js';
import { serve } from './gateway/http/server.js';
import { localSchema, readSdl } from './gateway/schema.js';
import { sessionHerald } from './gateway/sign-outs.js';
import { webSockets } from './gateway/websocket.js';
import { purgeSpaces } from './jobs/purge-spaces.js';
import { openDatabase } from './platform/database/pool.js';
import { betterAuthIssuer, type IssuerLimits } from './platform/issuer/better-auth.js';
import type { Log } from './platform/log.js';
import { type OidcIssuer, oidcTokens } from './platform/tokens/oidc.js';
import { postgresWakeups } from './platform/wakeups/postgres.js';

/** What it takes to make an App: addresses and secrets, no environment. */
export interface AppOptions {
  readonly databaseUrl: string;
  readonly databasePool: number;
  /** Where clients reach this server, without a trailing slash. */
  readonly publicUrl: string;
  readonly authSecret: string;
  readonly trustedOrigins: readonly string[];
  readonly oidcIssuers: readonly OidcIssuer[];
  readonly log: Log;
  readonly now?: () => Date;
  /** Hears the text of every SQL statement. */
  readonly observe?: (sql: string) => void;
  readonly issuerLimits?: Partial<IssuerLimits>;
}

/** An App and the way to end it. */
export interface RunningApp {
  readonly app: App;
  /** Writes down what waits, then closes every connection. */
  close(): Promise<void>;
}

const sweepMs = 60 * 60 * 1_000;

/** Picks the drivers and starts what lives as long as the process. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const { databaseUrl: url, log, observe, now = () => new Date() } = options;
  const database = openDatabase({ url, max: options.databasePool, log, observe });
  const wakeups = postgresWakeups({ url, database, log });
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
  const app: App = { database, issuer, tokens, wakeups, tail, memory, readAudit: audit, log, now };
  await tail.start();
  const sweeping = setInterval(() => void sweep(app), sweepMs);
  sweeping.unref();
  void sweep(app);
  return {
    app,
    async close() {
      clearInterval(sweeping);
      await tail.stop();
      await wakeups.close();
      await lastUsed(app).flush();
      await audit.flush();
      await database.close();
    },
  };
}

/** Deletes what has expired and makes room for the days to come. */
async function sweep(app: App): Promise<void> {
  try {
    await app.database.query('select canopy_make_partitions()', []);
    await dropOldEvents(app.database, app.now());
    await purgeSpaces(app);
    await app.database.query('delete from "IdempotencyRecord" where "expiresAt" < now()', []);
    await app.issuer.sweep();
  } catch (error) {
    app.log.warn('The hourly clean-up failed; the next one comes.', { error });
  }
}

/** The gateway over an App, answering on a server. */
export interface Gateway {
  /** Takes nothing new, lets what is being answered finish (10 s at most), tells sockets to go away, then closes the server. */
  drain(): Promise<void>;
}

const drainMs = 10_000;

/** Lets an App answer on `server`: HTTP and WebSocket. */
export async function startGateway(
  server: Server,
  app: App,
  settings: EdgeSettings,
  graphiql: EdgeParts['graphiql'],
): Promise<Gateway> {
  const sdl = readSdl(new URL('../schema/', import.meta.url));
  const schema = localSchema(sdl);
  const prepared = documents(schema);
  const apollo = apolloServer(app, schema, prepared);
  await apollo.start();
  let draining = false;
  const parts: EdgeParts = {
    app,
    schema,
    sdl: sdl.join('\n'),
    documents: prepared,
    apollo,
    settings,
    graphiql,
    draining: () => draining,
  };
  const http = serve(server, parts);
  const sockets = webSockets(server, parts);
  return {
    async drain() {
      draining = true;
      const late = setTimeout(() => server.closeAllConnections(), drainMs);
      // The server listens on meanwhile, so that whoever asks whether it is ready hears that it is not.
      await Promise.all([sockets.close(), http.idle()]);
      clearTimeout(late);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await apollo.stop();
    },
  };
}
