import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunningApp } from '../../src/app.js';
import type { App } from '../../src/core/context.js';
import { followChat } from '../../src/domains/chats/delivery.js';
import type { ChatStreamRow } from '../../src/domains/chats/stream.js';
import { streamWriter } from '../../src/domains/chats/stream-writer.js';
import { followProgress } from '../../src/domains/tasks/progress.js';
import { anotherApp, contextIn } from '../support/another-app.js';
import { chatting, countOf } from '../support/chats.js';
import { seeded } from '../support/seeded.js';
import { tasksOf } from '../support/tasks.js';
import { type World, world } from '../support/world.js';

let w: World;
let other: RunningApp;
beforeAll(async () => {
  w = await world();
  other = await anotherApp(w.databaseUrl);
});
afterAll(async () => {
  await other.close();
  await w.close();
});

const percentile = (all: readonly number[], share: number) =>
  [...all].sort((a, b) => a - b)[Math.floor(all.length * share)] ?? 0;

test('tokens are heard soon after they are said, by two viewers alike, while rows are written in batches', async () => {
  const { id: chatId } = await chatting(w.commenter).begin(w.space.id);
  const { streamId } = await chatting(w.commenter).open(chatId);
  const [stream] = await w.app.database.query<ChatStreamRow>('select * from "ChatStream" where id = $1', [streamId]);
  if (!stream) throw new Error('There is no stream.');
  const count = 300;

  /** What a viewer hears, and how long each token took that says when it was said. */
  async function watch(app: App) {
    const heard = await followChat(contextIn(app, w.viewer.viewer), { chatId });
    return async () => {
      const deltas: { seq: number; text: string }[] = [];
      const took: number[] = [];
      for (;;) {
        const { seq, delta } = (await heard.next()).value.chatStream;
        if (!delta) return { deltas, took };
        const at = performance.now();
        deltas.push({ seq, text: delta.text });
        for (const said of delta.text.trim().split(' ')) took.push(at - Number(said));
      }
    };
  }
  const viewers = await Promise.all([watch(w.app), watch(w.app), watch(other.app)]);
  const watching = Promise.all(viewers.map((read) => read()));
  const pieces = streamWriter(w.app, stream, w.commenter.id);
  for (let n = 0; n < count; n += 1) {
    pieces.push({ text: `${performance.now()} ` });
    if (n % 4 === 3) await sleep(20);
  }
  await pieces.close();
  await chatting(w.commenter).finish(streamId);
  const [first, second, elsewhere] = await watching;
  expect(first?.took).toHaveLength(count);
  expect(second?.deltas).toEqual(first?.deltas);
  expect(elsewhere?.deltas).toEqual(first?.deltas);
  expect(await countOf(w.app, '"ChatStreamChunk" where "streamId" = $1', [streamId])).toBeLessThan(count / 2);
  const inProcess = [...(first?.took ?? []), ...(second?.took ?? [])];
  const p95 = percentile(inProcess, 0.95);
  process.stderr.write(
    `  from a token to its viewer: p50 ${percentile(inProcess, 0.5).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms; in another process p95 ${percentile(elsewhere?.took ?? [], 0.95).toFixed(1)} ms\n`,
  );
  expect(p95).toBeLessThan(2_000);
}, 60_000);

test('the progress of a task is the same for everybody, however often they leave and come back, in either process', async () => {
  const { pick } = seeded(7);
  const tasks = tasksOf(w.editor, w.space.id);
  const type = 'live.counting';
  const { id } = await tasks.made({ type });
  const { leaseToken } = await tasks.claimed([type]);
  const reports = 60;

  async function watch(app: App) {
    const seen: { seq: number; kind: string }[] = [];
    let after: string | null = Buffer.from('0.0').toString('base64url');
    for (;;) {
      const heard = await followProgress(contextIn(app, w.viewer.viewer), { taskId: id, after });
      const patience = pick([1, 2, 5, 9, 40]);
      for (let n = 0; n < patience; n += 1) {
        const { seq, kind, txid, status } = (await heard.next()).value.taskProgress;
        after = Buffer.from(`${txid}.${seq}`).toString('base64url');
        seen.push({ seq, kind });
        if (status === 'COMPLETED') {
          await heard.return?.();
          return seen;
        }
      }
      await heard.return?.();
    }
  }
  const watching = Promise.all([w.app, other.app, w.app, other.app].map(watch));
  for (let n = 1; n <= reports; n += 1) {
    await tasks.report({ id, leaseToken, progress: n, logs: [`step ${n}`] });
    await sleep(pick([0, 5, 20, 40]));
  }
  await tasks.complete({ id, leaseToken });
  const all = (await tasks.events(id)).map(({ seq, kind }) => ({ seq, kind }));
  expect(all.length).toBeGreaterThan(reports);
  for (const seen of await watching) expect(seen).toEqual(all);
}, 60_000);
