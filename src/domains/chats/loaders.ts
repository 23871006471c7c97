import DataLoader from 'dataloader';
import type { Ctx } from '../../core/context.js';
import type { Listed } from '../../core/list-field.js';
import { loaderNamed, statementNamed } from '../../core/loaders.js';

import { columnsOf, type Selection } from '../../core/reading.js';
import type { Related } from '../../core/related.js';
import { roles } from '../../core/roles.js';
import { viewerSql } from '../../core/sql.js';
import { ask } from '../../core/together.js';
import type { SpaceChatsArgs } from '../../generated/graphql.js';
import { JsonText } from '../../platform/database/database.js';
import { type ChatRow, chatShape } from './chat.js';
import { type MessageRow, messageShape, partsOf } from './message.js';
import type { MessagePartRow } from './part.js';
import { type ChatStreamRow, chatStreamShape, type Delta, partsOfDeltas } from './stream.js';

/** Messages of a chat in the order in which they were sent. */
export const messagesOfChat: Related<MessageRow> = {
  shape: messageShape,
  keys: ['chatId'],
  order: { columns: ['seq'], direction: 'asc' },
};

/** Chats of a space by what happened last in them, and by their beginning. */
export const chatsByUpdate: Related<ChatRow> = {
  shape: chatShape,
  keys: ['spaceId'],
  order: { columns: ['updatedAt', 'id'], direction: 'desc' },
};
export const chatsByCreation: Related<ChatRow> = {
  shape: chatShape,
  keys: ['spaceId'],
  order: { columns: ['id'], direction: 'desc' },
};

const archived = { true: 't."archivedAt" is not null', false: 't."archivedAt" is null', null: '' } as const;

/** The chats of a space that pass a filter. */
export function chatsOf({ filter, orderBy }: SpaceChatsArgs): Listed<ChatRow> {
  const list = orderBy.startsWith('UPDATED') ? chatsByUpdate : chatsByCreation;
  const direction = orderBy.endsWith('_DESC') ? 'desc' : 'asc';
  const where = archived[`${filter ? (filter.archived ?? null) : false}`];
  return { list: { ...list, order: { ...list.order, direction }, where }, values: [] };
}

/** What is being written in a chat, or null. */
export function activeStream(ctx: Ctx, chatId: string, at?: Selection): Promise<ChatStreamRow | null> {
  const columns = columnsOf(chatStreamShape, at, ['chatId']);
  const name = `active stream: ${columns.join()}`;
  return loaderNamed<ChatStreamRow | null>(
    ctx,
    name,
    () =>
      new DataLoader(async (chatIds) => {
        const statement = statementNamed(name, () =>
          viewerSql('ChatStream', 1, (visible) => {
            const list = columns.map((column) => `t."${column}"`).join(', ');
            return `select ${list} from "ChatStream" t where t."chatId" = any($1::text[]) and t.status = 'STREAMING' and ${visible}`;
          }),
        );
        const values = statement.values(await roles(ctx));
        const rows = await ask<ChatStreamRow>(ctx, statement.text, [chatIds, ...values]);
        const byChat = new Map(rows.map((row) => [row.chatId, row]));
        return chatIds.map((id) => byChat.get(id) ?? null);
      }),
  ).load(chatId);
}

/** The parts of a message; of one that is being written, what there is so far. */
export function messageParts(
  ctx: Ctx,
  message: MessageRow,
): Promise<readonly MessagePartRow[]> | readonly MessagePartRow[] {
  if (message.status !== 'STREAMING') return partsOf(message);
  return loaderNamed<readonly MessagePartRow[]>(
    ctx,
    'parts so far',
    () => new DataLoader((ids) => partsSoFar(ctx, ids)),
  ).load(message.id);
}

interface ChunkRow {
  readonly messageId: string;
  readonly delta: unknown;
}

async function partsSoFar(ctx: Ctx, messageIds: readonly string[]): Promise<MessagePartRow[][]> {
  const statement = statementNamed('parts so far', () =>
    viewerSql(
      'ChatStream',
      1,
      (visible) => `select t."messageId", c.delta from "ChatStream" t join "ChatStreamChunk" c on c."streamId" = t.id
        where t."messageId" = any($1::text[]) and ${visible} order by t."messageId", c.seq`,
    ),
  );
  const values = statement.values(await roles(ctx));
  const rows = await ask<ChunkRow>(ctx, statement.text, [messageIds, ...values]);
  return messageIds.map((id) => partsOfDeltas(rows.filter(({ messageId }) => messageId === id).map(deltaOf)));
}

/** The delta of a chunk, checked when it was written. */
export function deltaOf({ delta }: Pick<ChunkRow, 'delta'>): Delta {
  return (delta instanceof JsonText ? delta.toJSON() : delta) as Delta;
}
