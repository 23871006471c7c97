import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DemoWorld, readDemoWorld, seedDemoWorld } from '../../prisma/seed.js';
import { type AppOptions, startApp, startGateway as startOver } from '../../src/app.js';
import type { App } from '../../src/core/context.js';
import type { EdgeSettings } from '../../src/gateway/edge.js';
import { graphiqlHandler } from '../../src/gateway/graphiql.js';
import { boundedServer } from '../../src/gateway/http/server.js';
import { bufferedLines, jsonLog } from '../../src/platform/log.js';
import { blobsOf, freshDatabase } from './database.js';

/** A whole gateway in this process: HTTP, WebSocket, GraphiQL, the demo world, on a database of its own. */
export interface TestGateway {
  /** Origin, without a trailing slash. */
  readonly url: string;
  readonly demo: DemoWorld;
  readonly app: App;
  readonly databaseUrl: string;
  /** Lines of the log, all levels. */
  readonly lines: string[];
  close(): Promise<void>;
}

const graphiqlBundle = fileURLToPath(new URL('../../dist/graphiql/', import.meta.url));

/** What a test changes of the edge and of the App behind it. */
export type GatewayOptions = Partial<EdgeSettings> &
  Partial<Pick<AppOptions, 'databaseUrl' | 'databasePool' | 'now' | 'vectors'>> & {
    graphiql?: boolean;
    /** Of another gateway, whose tokens then count here too. */
    issuerUrl?: string;
  };

/** Starts one. With a `databaseUrl` it works on that database, which stays. */
export async function startGateway(options: GatewayOptions = {}): Promise<TestGateway> {
  const {
    graphiql = true,
    databaseUrl,
    databasePool = 10,
    issuerUrl,
    now = () => new Date(),
    vectors,
    ...edge
  } = options;
  const database = databaseUrl ? { url: databaseUrl, drop: async () => {} } : await freshDatabase();
  const home = await mkdtemp(join(tmpdir(), 'canopy-gateway-'));
  const lines: string[] = [];
  const log = jsonLog(
    'info',
    bufferedLines((text) => lines.push(...text.trimEnd().split('\n'))),
  );
  const server = boundedServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { app, close } = await startApp({
    databaseUrl: database.url,
    blobs: { directory: blobsOf(database.url) },
    databasePool,
    now,
    publicUrl: issuerUrl ?? url,
    authSecret: 'a secret for tests only, 32 characters',
    trustedOrigins: edge.corsOrigins ?? [],
    oidcIssuers: [],
    ...(vectors && { vectors }),
    issuerLimits: {
      signIn: { max: 1_000, seconds: 60 },
      signUp: { max: 1_000, seconds: 60 },
      account: { max: 1_000, seconds: 60 },
    },
    log,
  });
  const demo = await seedDemoWorld(app, { home, publicUrl: url });
  const gateway = await startOver(
    server,
    app,
    { introspection: 'public', corsOrigins: [], trustedProxies: 0, ...edge },
    graphiqlHandler({ directory: graphiqlBundle, enabled: graphiql, demo: () => readDemoWorld(home) }),
  );
  return {
    url,
    demo: demo ?? { graphql: `${url}/graphql`, graphiql: `${url}/graphiql`, spaceId: '', accounts: [], apiKeys: [] },
    app,
    databaseUrl: database.url,
    lines,
    async close() {
      await gateway.drain();
      await close();
      await database.drop();
      await rm(home, { recursive: true });
    },
  };
}
