import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../src/app.js';
import type { Ctx } from '../../src/core/context.js';
import { newId } from '../../src/core/ids.js';
import { contextFor, standIn } from '../../src/core/operation.js';
import { createSpace } from '../../src/domains/spaces/service.js';
import { put } from '../../src/domains/tree/store.js';
import { seal } from '../../src/domains/tree/value.js';
import { readEnv } from '../../src/env.js';
import { runDueJobs } from '../../src/jobs/worker.js';
import { embeddedPostgres, removeEmbeddedPostgres } from '../../src/platform/database/embedded.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { jsonLog } from '../../src/platform/log.js';
import type { GoldenText } from './golden.js';

/** A space that holds the texts, indexed as the product does it, and its owner's context. */
export interface Stage {
  readonly spaceId: string;
  ctx(): Ctx;
  close(): Promise<void>;
}

/** Sets it up on a throwaway Postgres, with the embeddings that the settings name. */
export async function stageOf(texts: readonly GoldenText[]): Promise<Stage> {
  const home = await mkdtemp(join(tmpdir(), 'canopy-search-'));
  await chmod(home, 0o711);
  const { embeddings, vectors } = readEnv();
  const log = jsonLog('warn', (line) => process.stderr.write(line));
  const { url, stop } = await embeddedPostgres({ home, log, settings: ['fsync=off'] });
  await migrate(url, { directory: 'prisma/migrations', log });
  const { app, close } = await startApp({
    databaseUrl: url,
    databasePool: 5,
    blobs: { directory: join(home, 'blobs') },
    ...(embeddings && { embeddings }),
    ...(vectors && { vectors }),
    publicUrl: 'http://localhost:4000',
    authSecret: 'a secret for the benchmark, 32 characters',
    trustedOrigins: [],
    oidcIssuers: [],
    log,
  });
  const user = { id: newId('user'), name: 'Bench', handle: 'bench', email: 'bench@example.com' };
  await app.database.prisma.user.create({ data: user });
  const ctx = () => contextFor(app, standIn(user.id), { requestId: 'bench', ip: null });
  const { value: space } = await createSpace(
    ctx(),
    { slug: 'golden', name: 'Golden', visibility: 'PRIVATE' },
    async (tx, spaceId) => {
      for (const { id, text } of texts) await put(tx, { spaceId, path: `/${id}` }, seal(text), null);
    },
  );
  await runDueJobs(app);
  return {
    spaceId: space.id,
    ctx,
    async close() {
      await app.vectors.removeNamespace(space.id);
      await close();
      await stop();
      await removeEmbeddedPostgres(home);
      await rm(home, { recursive: true, force: true });
    },
  };
}
