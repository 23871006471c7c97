import type { ActionName } from '../../core/actions.js';
import type { Ctx } from '../../core/context.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { loadExisting } from '../../core/loaders.js';
import { columnsSql } from '../../core/sql.js';
import { unchanged } from '../../core/versions.js';
import { type Written, write } from '../../core/write.js';
import type { ArchiveChatInput, CreateChatInput, UpdateChatInput } from '../../generated/graphql.js';
import { Archiving, ChatChange, type ChatRow, chatShape, contextText, defaultTitle, NewChat } from './chat.js';

const columns = columnsSql(chatShape);

/** The chat as the viewer may see it; NOT_FOUND otherwise. */
export const seenChat = (ctx: Ctx, id: string): Promise<ChatRow> => loadExisting(ctx, chatShape, id);

/** What it takes to change a chat: less for one's own. */
export const changing = ({ viewer }: Ctx, { ownerId }: ChatRow) =>
  (ownerId !== null && ownerId === viewer?.userId ? 'chat.write' : 'chat.manage') satisfies ActionName;

export async function createChat(ctx: Ctx, input: CreateChatInput): Promise<Written<ChatRow>> {
  const { spaceId, title, context } = parse(NewChat, input);
  const text = contextText(context ?? {});
  return write(ctx, 'chat.write', { space: spaceId }, async (tx) => {
    const [row] =
      await tx.sql<ChatRow>`insert into "Chat" (id, "spaceId", "ownerId", title, context, "createdAt", "updatedAt")
      values (${newId('chat')}, ${spaceId}, ${tx.actorId}, ${title ?? defaultTitle}, ${text}::json, ${tx.now}, ${tx.now}) returning ${columns}`;
    if (!row) throw new Error('An inserted chat was not answered.');
    tx.emit('chat.created', 'Chat', row.id, { chatId: row.id, version: row.version });
    return row;
  });
}

/** Changes the fields that are given; CONFLICT unless it has the version. */
export async function updateChat(ctx: Ctx, input: UpdateChatInput): Promise<Written<ChatRow>> {
  const { id, version, title, context } = parse(ChatChange, input);
  const text = contextText(context);
  const chat = await seenChat(ctx, id);
  return write(ctx, changing(ctx, chat), { space: chat.spaceId }, async (tx) => {
    const [row] =
      await tx.sql<ChatRow>`update "Chat" set title = coalesce(${title ?? null}::text, title), context = coalesce(${text}::json, context),
      version = version + 1, "updatedAt" = greatest("updatedAt", ${tx.now}) where id = ${id} and version = ${version} returning ${columns}`;
    if (!row) throw await unchanged(tx, chatShape, id);
    tx.emit('chat.updated', 'Chat', id, { chatId: id, version: row.version });
    return row;
  });
}

/** Puts a chat away, or takes it out again; CONFLICT unless it has the version. */
export async function archiveChat(ctx: Ctx, input: ArchiveChatInput): Promise<Written<ChatRow>> {
  const { id, version, archived } = parse(Archiving, input);
  const chat = await seenChat(ctx, id);
  return write(ctx, changing(ctx, chat), { space: chat.spaceId }, async (tx) => {
    const [row] =
      await tx.sql<ChatRow>`update "Chat" set "archivedAt" = case when ${archived}::boolean then coalesce("archivedAt", ${tx.now}) end,
      version = version + 1, "updatedAt" = greatest("updatedAt", ${tx.now}) where id = ${id} and version = ${version} returning ${columns}`;
    if (!row) throw await unchanged(tx, chatShape, id);
    tx.emit('chat.archived', 'Chat', id, { chatId: id, version: row.version });
    return row;
  });
}
