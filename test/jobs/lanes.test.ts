import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { App } from '../../src/core/context.js';
import type { JobName } from '../../src/core/jobs.js';
import { startWorker } from '../../src/jobs/worker.js';
import { eventually } from '../support/eventually.js';
import { tasksOf } from '../support/tasks.js';
import { type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

test.each<JobName>(['blobs.sweep', 'blobs.tier', 'blobs.restore'])(
  'while %s goes through all there is, short work is done',
  async (name) => {
    await w.runJobs();
    let begun = () => {};
    let end = () => {};
    const isAtIt = new Promise<void>((resolve) => (begun = resolve));
    const isDone = new Promise<void>((resolve) => (end = resolve));
    const { database } = w.app;
    const marks = ['"UploadSession" where status in', '"storageTier" = \'WARM\' where', 'checksum, "storageTier" from'];
    const slow: App = {
      ...w.app,
      database: {
        ...database,
        async query(text, values) {
          if (marks.some((mark) => text.includes(mark))) {
            begun();
            await isDone;
          }
          return database.query(text, values);
        },
      },
    };
    const payload = name === 'blobs.restore' ? { spaceId: w.space.id, versionId: 'fver_none' } : {};
    await database.query('select canopy_add_jobs($1::json)', [
      JSON.stringify([{ name, payload, key: `slow ${name}` }]),
    ]);
    const worker = await startWorker(slow, 1);
    try {
      await isAtIt;
      const tasks = tasksOf(w.editor, w.space.id);
      const { id } = await tasks.made({ type: 'acme.render', runAt: new Date(Date.now() + 200).toISOString() });
      await eventually(async () => expect(await tasks.task(id)).toMatchObject({ status: 'QUEUED' }));
    } finally {
      end();
      await worker.stop();
    }
  },
);
