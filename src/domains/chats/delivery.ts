import { setImmediate } from 'node:timers/promises';
import { enter } from '../../core/access.js';
import { closable } from '../../core/closable.js';
import { type App, type Ctx, perApp } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import { typeOfId } from '../../core/ids.js';
import type { MessageStatus, SubscriptionChatStreamArgs } from '../../generated/graphql.js';
import { deltaOf } from './loaders.js';
import { seenChat } from './service.js';
import { cursorOf, type Delta } from './stream.js';

/** A piece of a message on its way to a viewer; without a delta it is the end. */
export interface ChatDeltaRow {
  readonly cursor: string;
  readonly messageId: string;
  readonly seq: number;
  readonly delta: Delta | null;
  readonly status: MessageStatus;
}

/** Up to where a chat has been delivered: so many deltas of a message, or all of it. */
interface Place {
  readonly messageSeq: number;
  readonly seq: number | 'end';
}

const largestRead = 500;
/** How long a lost wake-up can delay: while a message is being written, and while none is. */
const pollMs = { writing: 1_000, idle: 3_000 };

/** The message that is being written in a chat, or the next one, from its first delta or from behind a cursor to its end. */
export async function followChat(ctx: Ctx, { chatId, after }: SubscriptionChatStreamArgs) {
  const { spaceId } = await seenChat(ctx, chatId);
  const scope = { space: spaceId };
  await enter(ctx, 'chat.read', scope);
  const closing = new AbortController();
  // Rung from before the first look, so that nothing is missed between the two.
  const bell = await bells(ctx.app).of(chatId, closing.signal);
  const from = after == null ? await latest(ctx.app, chatId) : await placeOf(ctx.app, chatId, after);

  let reached = after ?? null;
  async function* items(): AsyncGenerator<{ chatStream: ChatDeltaRow }> {
    try {
      for await (const chatStream of deltas(ctx.app, chatId, from, bell, closing.signal)) {
        ctx.epoch.current = {};
        await enter(ctx, 'chat.read', scope);
        // There is nothing new; who may not read the chat any more is told all the same.
        if (chatStream === null) continue;
        reached = chatStream.cursor;
        yield { chatStream };
        if (closing.signal.aborted) return;
      }
    } finally {
      closing.abort();
    }
  }
  return closable(ctx, items(), closing, () => reached);
}

interface Chunk {
  readonly messageId: string;
  readonly messageSeq: number;
  readonly status: MessageStatus;
  readonly lastSeq: number;
  /** Null: there are none beyond the place. */
  readonly seq: number | null;
  readonly delta: unknown;
}

// One statement sees one moment: a stream that it sees closed has all its chunks.
const readSql = `with s as (
    select id, "messageId", "messageSeq", status, "lastSeq" from "ChatStream"
    where "chatId" = $1 and "messageSeq" >= $2 and ("messageSeq" > $2 or $3::int is not null) order by "messageSeq" limit 1
  ) select s."messageId", s."messageSeq", s.status, s."lastSeq", c.seq, c.delta from s
    left join "ChatStreamChunk" c on c."streamId" = s.id and c.seq > case when s."messageSeq" = $2 then $3::int else 0 end
    order by c.seq limit ${largestRead}`;

/** Viewers who are at the same place ask together: all who may read a chat read the same. */
const chunksAfter = perApp(({ database }) => {
  const asking = new Map<string, Promise<Chunk[]>>();
  return {
    read(chatId: string, { messageSeq, seq }: Place): Promise<Chunk[]> {
      const key = `${chatId} ${messageSeq} ${seq}`;
      let asked = asking.get(key);
      if (!asked) {
        asked = setImmediate().then(() => {
          // Who comes from here on must not be told of a moment before.
          asking.delete(key);
          return database.query<Chunk>(readSql, [chatId, messageSeq, seq === 'end' ? null : seq]);
        });
        asking.set(key, asked);
      }
      return asked;
    },
  };
});

async function* deltas(
  app: App,
  chatId: string,
  from: Place,
  bell: Bell,
  signal: AbortSignal,
): AsyncGenerator<ChatDeltaRow | null> {
  let { messageSeq, seq } = from;
  while (!signal.aborted) {
    const rung = bell.next();
    const chunks = await chunksAfter(app).read(chatId, { messageSeq, seq });
    for (const { seq: at, delta, messageId, messageSeq: of } of chunks) {
      if (at === null) continue;
      [messageSeq, seq] = [of, at];
      yield { cursor: cursorOf(messageId, at), messageId, seq: at, delta: deltaOf({ delta }), status: 'STREAMING' };
    }
    if (chunks.length === largestRead) continue;
    const [last] = chunks;
    if (last && last.status !== 'STREAMING') {
      const { messageId, lastSeq, status } = last;
      return yield { cursor: cursorOf(messageId, lastSeq + 1), messageId, seq: lastSeq + 1, delta: null, status };
    }
    await rung(last ? pollMs.writing : pollMs.idle);
    yield null;
  }
}

/** The beginning of what is being written; without that, the end of what there is. */
async function latest({ database }: App, chatId: string): Promise<Place> {
  const [row] = await database.query<{ lastSeq: number; messageSeq: number | null }>(
    `select c."lastSeq", s."messageSeq" from "Chat" c left join "ChatStream" s on s."chatId" = c.id and s.status = 'STREAMING' where c.id = $1`,
    [chatId],
  );
  if (row?.messageSeq != null) return { messageSeq: row.messageSeq, seq: 0 };
  return { messageSeq: row?.lastSeq ?? 0, seq: 'end' };
}

async function placeOf({ database }: App, chatId: string, cursor: string): Promise<Place> {
  const [, id = '', seq] = /^(\w+)\.(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  const [row] =
    typeOfId(id) === 'Message'
      ? await database.query<{ messageSeq: number; lastSeq: number | null; status: MessageStatus | null }>(
          `select m.seq as "messageSeq", s."lastSeq", s.status from "Message" m left join "ChatStream" s on s."messageId" = m.id
            where m.id = $1 and m."chatId" = $2`,
          [id, chatId],
        )
      : [];
  if (!row) throw badInput('after', 'not a cursor of this chat');
  const isOver = row.status !== 'STREAMING' && Number(seq) > (row.lastSeq ?? 0);
  return { messageSeq: row.messageSeq, seq: isOver ? 'end' : Number(seq) };
}

/** Rings whenever something may have been written. */
interface Bell {
  /** Listens from now on; the answer resolves at the next ring, at the latest after so many milliseconds. */
  next(): (ms: number) => Promise<void>;
}

/** The bells of this process, by chat. */
const bells = perApp(({ wakeups }) => {
  const rings = new Map<string, Set<() => void>>();
  const ring = (all: Iterable<() => void> = []) => {
    for (const one of all) one();
  };
  const listening = wakeups.listen((topic) => {
    if (topic === null) for (const all of rings.values()) ring(all);
    else ring(rings.get(topic));
  });
  return {
    async of(chatId: string, signal: AbortSignal): Promise<Bell> {
      await listening;
      let wake = () => {};
      const heard = () => wake();
      const all = rings.get(chatId) ?? new Set();
      rings.set(chatId, all.add(heard));
      const leave = () => {
        all.delete(heard);
        if (all.size === 0 && rings.get(chatId) === all) rings.delete(chatId);
        wake();
      };
      signal.addEventListener('abort', leave, { once: true });
      return {
        next() {
          const rung = new Promise<void>((resolve) => (wake = resolve));
          return async (ms) => {
            const timer = setTimeout(() => wake(), signal.aborted ? 0 : ms);
            await rung;
            clearTimeout(timer);
          };
        },
      };
    },
  };
});
