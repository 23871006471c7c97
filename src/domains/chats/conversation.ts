import type { Ctx } from '../../core/context.js';
import { isObject } from '../../core/json.js';
import { commit } from '../../core/write.js';
import type { Turn, TurnPart } from '../../platform/assistant/assistant.js';
import { JsonText } from '../../platform/database/database.js';
import { type MessageRow, partsOf } from './message.js';
import type { FilePartRow, ImagePartRow, MessagePartRow, ToolCallPartRow } from './part.js';
import { digested } from './summary.js';

/** How much of a conversation an assistant reads: the latest messages, by count and by tokens, of which one is about four characters. */
export const maxTurns = 50;
export const maxTokens = 6_000;
const maxDigested = 500;
const charactersInToken = 4;

/** What an assistant is told before it replies. */
export interface Conversation {
  readonly instructions: string;
  readonly turns: readonly Turn[];
}

type Said = Pick<MessageRow, 'seq' | 'role' | 'parts'>;

interface Chat {
  readonly spaceId: string;
  readonly title: string;
  readonly context: unknown;
  readonly summary: string | null;
  readonly summarySeq: number;
}

/** The conversation before a message, for whoever may read the chat. What no longer fits is added to the chat's summary, which is kept. */
export async function conversationBefore(ctx: Ctx, chatId: string, seq: number): Promise<Conversation> {
  const { database } = ctx.app;
  const [chat] = await database.query<Chat>(
    `select "spaceId", title, context, summary, "summarySeq" from "Chat" where id = $1`,
    [chatId],
  );
  if (!chat) throw new Error('The chat of a reply is gone.');
  const latest = await database.query<Said>(
    `select seq, role, parts from "Message" where "chatId" = $1 and seq < $2 and status <> 'STREAMING' order by seq desc limit ${maxTurns}`,
    [chatId, seq],
  );
  const read = fitting(latest).reverse();
  const summary = await summaryBefore(ctx, chatId, chat, read[0]?.seq ?? seq);
  return { instructions: instructionsOf(chat, summary), turns: turnsOf(read) };
}

/** As many of the messages, the latest first, as the tokens allow; always one. */
function fitting(latest: readonly Said[]): Said[] {
  let left = maxTokens * charactersInToken;
  return latest.filter((message, at) => {
    left = left < 0 ? left : left - JSON.stringify(message.parts).length;
    return at === 0 || left >= 0;
  });
}

/** The summary of everything before `seq`, from what is kept and what has been left out since. */
async function summaryBefore(ctx: Ctx, chatId: string, chat: Chat, seq: number): Promise<string | null> {
  if (chat.summarySeq >= seq - 1) return chat.summary;
  const left = await ctx.app.database.query<Said>(
    `select seq, role, parts from "Message" where "chatId" = $1 and seq > $2 and seq < $3 and status <> 'STREAMING' order by seq desc limit ${maxDigested}`,
    [chatId, chat.summarySeq, seq],
  );
  const summary = digested(
    chat.summary,
    left.reverse().map((message) => ({ role: message.role, text: textOf(message) })),
  );
  await commit(ctx, 'chat.write', { space: chat.spaceId }, null, async (tx) => {
    await tx.sql`update "Chat" set summary = ${summary}, "summarySeq" = ${seq - 1} where id = ${chatId} and "summarySeq" < ${seq - 1}`;
    tx.audit('chat.write', { resourceType: 'Chat', resourceId: chatId });
  });
  return summary;
}

const textOf = (message: Said) =>
  partsOf(message)
    .flatMap((part) => (part.type === 'TextPart' ? [part.text] : []))
    .join(' ');

function instructionsOf({ title, context }: Chat, summary: string | null): string {
  const known: unknown = context instanceof JsonText ? context.toJSON() : context;
  return [
    'You are the assistant of a shared space in Canopy, in which a team keeps what it knows. Use the search before you speak of what the space holds, and name what you found as [title](id).',
    `The conversation is called “${title}”.`,
    ...(isObject(known) && Object.keys(known).length > 0
      ? [`What you were asked to keep in mind, as JSON: ${JSON.stringify(known)}`]
      : []),
    ...(summary ? [`What was said before the messages below:\n${summary}`] : []),
  ].join('\n\n');
}

const roleOf = { SYSTEM: 'system', USER: 'user', ASSISTANT: 'assistant', TOOL: 'assistant' } as const;

/** Messages as turns. A call goes with its result or not at all; results of their own message go to the turn that called. */
function turnsOf(messages: readonly Said[]): Turn[] {
  const said = messages.map((message) => ({ role: message.role, parts: partsOf(message) }));
  const calls = callsOf(said.flatMap(({ parts }) => parts));
  const turns: { role: Turn['role']; parts: TurnPart[] }[] = [];
  for (const { role, parts: kept } of said) {
    const parts = kept.flatMap((part) => turnParts(part, calls));
    const last = turns.at(-1);
    if (role === 'TOOL' && last?.role === 'assistant') last.parts.push(...parts);
    else if (parts.length > 0) turns.push({ role: roleOf[role], parts });
  }
  return turns;
}

/** The calls that were answered, each by itself and by its result. */
function callsOf(parts: readonly MessagePartRow[]): Calls {
  const open = new Map<string, ToolCallPartRow>();
  const calls = new Map<MessagePartRow, ToolCallPartRow>();
  for (const part of parts) {
    if (part.type === 'ToolCallPart') open.set(part.toolCallId, part);
    if (part.type !== 'ToolResultPart') continue;
    const call = open.get(part.toolCallId);
    if (!call) continue;
    calls.set(call, call).set(part, call);
    open.delete(part.toolCallId);
  }
  return calls;
}

type Calls = ReadonlyMap<MessagePartRow, ToolCallPartRow>;

function turnParts(part: MessagePartRow, calls: Calls): TurnPart[] {
  const { toolCallId = '', toolName = '', input } = calls.get(part) ?? {};
  switch (part.type) {
    case 'TextPart':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'ImagePart':
      if (part.url.startsWith('data:')) return [{ type: 'file', url: part.url, mediaType: part.mediaType }];
      return [{ type: 'text', text: named(part) }];
    case 'FilePart':
      return [{ type: 'text', text: named(part) }];
    case 'ToolCallPart':
      return calls.has(part) ? [{ type: 'toolCall', toolCallId, toolName, input }] : [];
    case 'ToolResultPart': {
      const output = part.errorText === undefined ? part.output : { error: part.errorText };
      return calls.has(part) ? [{ type: 'toolResult', toolCallId, toolName, output }] : [];
    }
    default:
      return [];
  }
}

/** What lies elsewhere is named, not fetched: the address is the sender's choice. */
const named = ({ url, mediaType, filename }: ImagePartRow | FilePartRow) =>
  `[${filename ?? mediaType}${url.startsWith('data:') ? '' : `: ${url}`}]`;
