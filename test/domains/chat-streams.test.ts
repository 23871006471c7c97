import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '../../src/core/context.js';
import { followChat } from '../../src/domains/chats/delivery.js';
import { expireStreams } from '../../src/domains/chats/expiry.js';
import type { ChatStreamRow } from '../../src/domains/chats/stream.js';
import { streamWriter } from '../../src/domains/chats/stream-writer.js';
import { anotherApp, contextIn } from '../support/another-app.js';
import { allDeltas, chatting, countOf, textOf } from '../support/chats.js';
import { eventually } from '../support/eventually.js';
import { seeded } from '../support/seeded.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
let later = 0;
beforeAll(async () => {
  w = await world({ now: () => new Date(Date.now() + later) });
});
afterAll(() => w.close());
const writer = () => chatting(w.commenter);

/** A chat with a message that is being written. */
async function opened() {
  const { id: chatId } = await writer().begin(w.space.id);
  return { chatId, ...(await writer().open(chatId)) };
}

describe('a message that is written piece by piece', () => {
  test('is what its pieces make, whoever looks and whenever', async () => {
    const { chatId, streamId, messageId } = await opened();
    await writer().append(streamId, [{ reasoning: 'Hm' }, { reasoning: '.' }, { text: 'Be' }]);
    const half = [
      { __typename: 'ReasoningPart', text: 'Hm.' },
      { __typename: 'TextPart', text: 'Be' },
    ];
    expect(await chatting(w.viewer).read(messageId)).toMatchObject({ status: 'STREAMING', parts: half });
    const call = { toolCall: { toolCallId: 'a', toolName: 'weather', input: {} } };
    await writer().append(streamId, [{ text: 'ans' }, { part: call }]);
    await writer().append(streamId, [{ part: { toolResult: { toolCallId: 'a', output: 20 } } }, { text: 'Done' }]);
    const { data } = await writer().finish(streamId, { usage: { totalTokens: 7 } });
    const whole = [
      { __typename: 'ReasoningPart', text: 'Hm.' },
      { __typename: 'TextPart', text: 'Beans' },
      { __typename: 'ToolCallPart', toolCallId: 'a' },
      { __typename: 'ToolResultPart', output: 20 },
      { __typename: 'TextPart', text: 'Done' },
    ];
    expect(data.finishStream.message).toMatchObject({ status: 'COMPLETE', usage: { totalTokens: 7 }, parts: whole });
    expect(data.finishStream.eventCursor).toEqual(expect.any(String));
    expect(await chatting(w.viewer).read(messageId)).toMatchObject({ status: 'COMPLETE', parts: whole });
    expect(
      (await w.viewer.run('query ($id: ID!) { chat(id: $id) { activeStream { id } } }', { id: chatId })).data.chat
        .activeStream,
    ).toBeNull();
  });

  test('is written by who began it alone', async () => {
    const { streamId } = await opened();
    const key = w.client(viewerOf(w.commenter.id, { apiKeyId: 'key_of_theirs' }));
    for (const other of [w.owner, w.editor, key]) {
      expect(await chatting(other).append(streamId, [{ text: 'x' }])).toMatchObject({ code: 'FORBIDDEN' });
      expect(await chatting(other).finish(streamId)).toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(await chatting(w.stranger).append(streamId, [{ text: 'x' }])).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('takes a piece once where its writer says behind which', async () => {
    const { streamId, messageId } = await opened();
    expect((await writer().append(streamId, [{ text: 'a' }], { afterSeq: 0 })).data.appendToStream.stream.lastSeq).toBe(
      1,
    );
    expect(await writer().append(streamId, [{ text: 'a' }], { afterSeq: 0 })).toMatchObject({
      code: 'CONFLICT',
      errors: [{ extensions: { currentVersion: 1 } }],
    });
    await Promise.all(Array.from({ length: 5 }, () => writer().append(streamId, [{ text: 'b' }], { afterSeq: 1 })));
    expect(await writer().read(messageId)).toMatchObject({ parts: [{ text: 'ab' }] });
  });

  test('is bounded', async () => {
    const { streamId, messageId } = await opened();
    for (let n = 0; n < 5; n += 1)
      expect(await writer().append(streamId, [{ text: 'x'.repeat(50_000) }])).toMatchObject({ code: null });
    expect(await writer().append(streamId, [{ text: 'x'.repeat(50_000) }])).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    });
    expect(
      await writer().append(
        streamId,
        Array.from({ length: 101 }, () => ({ text: 'x' })),
      ),
    ).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(
      await writer().append(streamId, [{ part: { toolResult: { toolCallId: 'nobody', output: 1 } } }]),
    ).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await writer().append(streamId, [])).toMatchObject({ code: null });
    await writer().finish(streamId);
    expect((await writer().read(messageId)).parts[0].text).toHaveLength(250_000);
  });

  test('is the only one of its chat, ends once, and then takes nothing more', async () => {
    const { chatId, streamId } = await opened();
    expect(await writer().send(chatId, { role: 'ASSISTANT', stream: true })).toMatchObject({ code: 'CONFLICT' });
    expect(await writer().say(chatId, 'Hello', { reply: true })).toMatchObject({ code: 'CONFLICT' });
    expect(await writer().say(chatId, 'Hello')).toMatchObject({ code: null });
    const finish = () => writer().finish(streamId, { status: 'FAILED', failure: 'No more ideas' });
    for (const _ of [1, 2])
      expect((await finish()).data.finishStream.message).toMatchObject({ status: 'FAILED', failure: 'No more ideas' });
    expect(await writer().finish(streamId)).toMatchObject({ code: 'CONFLICT' });
    expect(await writer().append(streamId, [{ text: 'x' }])).toMatchObject({ code: 'CONFLICT' });
    expect(await writer().send(chatId, { role: 'ASSISTANT', stream: true })).toMatchObject({ code: null });
  });

  test('is stopped by anyone who may talk, and keeps what was written', async () => {
    const { streamId, messageId } = await opened();
    await writer().append(streamId, [{ text: 'Half' }]);
    expect(await chatting(w.viewer).cancel(messageId)).toMatchObject({ code: 'FORBIDDEN' });
    const cancelled = { status: 'CANCELLED', parts: [{ text: 'Half' }] };
    expect((await chatting(w.editor).cancel(messageId)).data.cancelMessage.message).toMatchObject(cancelled);
    expect((await chatting(w.editor).cancel(messageId)).data.cancelMessage.message).toMatchObject(cancelled);
    expect(await writer().append(streamId, [{ text: 'x' }])).toMatchObject({ code: 'CONFLICT' });
  });
});

describe('who follows a message', () => {
  test('gets every delta once, in order, and at last the message', async () => {
    const { chatId, streamId } = await opened();
    await writer().append(streamId, [{ text: 'a' }]);
    const viewers = await Promise.all([w.viewer, w.editor].map((person) => chatting(person).follow(chatId)));
    const heard = Promise.all(viewers.map(allDeltas));
    for (const text of 'bcdef') await writer().append(streamId, [{ text }]);
    await writer().finish(streamId);
    const [one = [], other = []] = await heard;
    expect(one.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(textOf(one)).toBe('abcdef');
    expect(one.at(-1)).toMatchObject({
      status: 'COMPLETE',
      message: { status: 'COMPLETE', parts: [{ text: 'abcdef' }] },
    });
    expect(other).toEqual(one);
    for (const viewer of viewers) await expect(viewer.next()).rejects.toThrow('The stream has ended.');
  });

  test('goes on behind a cursor, wherever it is, also when the message is finished', async () => {
    const { chatId, streamId } = await opened();
    for (const text of 'abcd') await writer().append(streamId, [{ text }]);
    const first = await chatting(w.viewer).follow(chatId);
    const cursors: string[] = [];
    for (const _ of 'abcd') cursors.push((await first.next()).chatStream.cursor);
    await first.stop();
    const live = await chatting(w.viewer).follow(chatId, cursors[1]);
    await writer().append(streamId, [{ text: 'e' }]);
    await writer().finish(streamId);
    expect(textOf(await allDeltas(live))).toBe('cde');
    for (const [at, cursor] of cursors.entries())
      expect(textOf(await allDeltas(await chatting(w.viewer).follow(chatId, cursor)))).toBe('abcde'.slice(at + 1));
  });

  test('waits for the next message where none is written, and behind the end of the last', async () => {
    const { id: chatId } = await writer().begin(w.space.id);
    const waiting = await chatting(w.viewer).follow(chatId);
    const heard = allDeltas(waiting);
    const write = async (text: string) => {
      const { streamId } = await writer().open(chatId);
      await writer().append(streamId, [{ text }]);
      await writer().finish(streamId);
    };
    await write('one');
    const one = await heard;
    expect(textOf(one)).toBe('one');
    const next = allDeltas(await chatting(w.viewer).follow(chatId, one.at(-1)?.cursor));
    await write('two');
    expect(textOf(await next)).toBe('two');
  });

  test('is refused a cursor that is none of this chat', async () => {
    const { chatId } = await opened();
    const other = await opened();
    await writer().append(other.streamId, [{ text: 'x' }]);
    const { cursor } = (await (await chatting(w.viewer).follow(other.chatId)).next()).chatStream;
    for (const after of ['nonsense', '', cursor])
      await expect(chatting(w.viewer).follow(chatId, after)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(chatting(w.stranger).follow(chatId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('hears nothing more once removed from the space', async () => {
    const { chatId, streamId } = await opened();
    const leaver = await w.member('Lars', w.space.id, 'VIEWER');
    const heard = await chatting(leaver).follow(chatId);
    await writer().append(streamId, [{ text: 'a' }]);
    expect((await heard.next()).chatStream.text).toBe('a');
    const remove = 'mutation ($input: RemoveSpaceMemberInput!) { removeSpaceMember(input: $input) { removedUserId } }';
    expect(await w.owner.run(remove, { input: { spaceId: w.space.id, userId: leaver.id } })).toMatchObject({
      code: null,
    });
    await writer().append(streamId, [{ text: 'b' }]);
    await expect(heard.next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('gets the message alone once its deltas are gone', async () => {
    const { chatId, streamId } = await opened();
    for (const text of 'ab') await writer().append(streamId, [{ text }]);
    const first = await chatting(w.viewer).follow(chatId);
    const { cursor } = (await first.next()).chatStream;
    await first.stop();
    await writer().finish(streamId);
    await expireStreams(w.app);
    expect(await countOf(w.app, '"ChatStreamChunk" where "streamId" = $1', [streamId])).toBe(2);
    later = 2 * 60 * 60 * 1_000;
    await expireStreams(w.app);
    expect(await countOf(w.app, '"ChatStreamChunk" where "streamId" = $1', [streamId])).toBe(0);
    const rest = await allDeltas(await chatting(w.viewer).follow(chatId, cursor));
    expect(rest).toMatchObject([{ seq: 3, message: { parts: [{ text: 'ab' }] } }]);
    later = 0;
  });
});

test('no viewer misses a delta or gets one twice, however often they leave and come back, in either process', async () => {
  const { pick } = seeded(5);
  const other = await anotherApp(w.databaseUrl);
  const { chatId, streamId, messageId } = await opened();
  const viewerId = w.commenter.id;
  const [stream] = await other.app.database.query<ChatStreamRow>(`select * from "ChatStream" where id = $1`, [
    streamId,
  ]);
  if (!stream) throw new Error('There is no stream.');
  const words = Array.from({ length: 300 }, (_, at) => `${at} `);
  const writing = (async () => {
    const pieces = streamWriter(other.app, stream, viewerId);
    for (const text of words) {
      pieces.push({ text });
      await sleep(pick([0, 1, 2, 5, 20]));
    }
    await pieces.close();
    await writer().finish(streamId);
  })();

  async function watch(app: App) {
    const seen: { seq: number; text: string }[] = [];
    let after: string | null = null;
    for (;;) {
      const heard = await followChat(contextIn(app, w.viewer.viewer), { chatId, after });
      const patience = pick([1, 2, 5, 9, 40]);
      for (let n = 0; n < patience; n += 1) {
        const { value } = await heard.next();
        if (!value.chatStream.delta) return { seen, end: value.chatStream.seq };
        after = value.chatStream.cursor;
        seen.push({ seq: value.chatStream.seq, text: value.chatStream.delta.text });
      }
      await heard.return?.();
    }
  }
  const watched = await Promise.all([w.app, other.app, w.app, other.app, w.app, other.app].map(watch));
  await writing;
  for (const { seen, end } of watched) {
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, at) => at + 1));
    expect(seen.map(({ text }) => text).join('')).toBe(words.join(''));
    expect(end).toBe(seen.length + 1);
  }
  expect(watched[0]?.seen.length).toBeGreaterThan(10);
  expect(await writer().read(messageId)).toMatchObject({ parts: [{ text: words.join('') }] });
  await other.close();
}, 30_000);

describe('a writer that is not heard of any more', () => {
  test('leaves the message FAILED with what was written, in time and not before', async () => {
    const { chatId, streamId, messageId } = await opened();
    await writer().append(streamId, [{ text: 'Half' }]);
    const heard = allDeltas(await chatting(w.viewer).follow(chatId));
    later += 29_000;
    await expireStreams(w.app);
    expect(await writer().read(messageId)).toMatchObject({ status: 'STREAMING' });
    await writer().append(streamId, []);
    later += 29_000;
    await expireStreams(w.app);
    expect(await writer().read(messageId)).toMatchObject({ status: 'STREAMING' });
    later += 2_000;
    await Promise.all([1, 2, 3].map(() => expireStreams(w.app)));
    const failed = { status: 'FAILED', failure: expect.any(String), parts: [{ text: 'Half' }] };
    expect(await writer().read(messageId)).toMatchObject(failed);
    expect((await heard).at(-1)).toMatchObject({ status: 'FAILED', message: failed });
    expect(await countOf(w.app, `"Event" where "resourceId" = $1 and type = 'message.failed'`, [messageId])).toBe(1);
    later = 0;
  });

  test('is looked for at the end of each lease, by a job that is added with the message', async () => {
    const { streamId } = await opened();
    const waiting = () =>
      w.app.database.query<{ wait: number }>(
        `select extract(epoch from run_at - now())::float8 as wait from graphile_worker._private_jobs where key = $1`,
        [`expire ${streamId}`],
      );
    const [job] = await waiting();
    expect(job?.wait).toBeGreaterThan(20);
    expect(job?.wait).toBeLessThanOrEqual(31);
    await writer().append(streamId, [{ text: 'a' }]);
    await w.app.database.query(`update graphile_worker._private_jobs set run_at = now() where key = $1`, [
      `expire ${streamId}`,
    ]);
    await w.runJobs();
    await eventually(async () => expect((await waiting())[0]?.wait).toBeGreaterThan(20));
    await writer().finish(streamId);
  });
});
