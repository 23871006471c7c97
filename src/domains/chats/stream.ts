import { z } from 'zod';
import { shape } from '../../core/shape.js';
import type { ChatStream as ChatStreamModel } from '../../generated/prisma/client.js';
import { type MessagePartRow, PartInput } from './part.js';
import { textUpTo } from './rule.js';

const columns = [
  'id',
  'spaceId',
  'chatId',
  'messageId',
  'messageSeq',
  'status',
  'writerId',
  'lastSeq',
  'leaseExpiresAt',
  'createdAt',
] as const;
export type ChatStreamRow = Pick<ChatStreamModel, (typeof columns)[number]>;

/** What leaves the database of a stream. */
export const chatStreamShape = shape<ChatStreamRow>({
  model: 'ChatStream',
  key: 'id',
  columns,
  always: ['id'],
  fields: { message: ['messageId'], cursor: ['messageId'] },
  inJson: { leaseExpiresAt: 'instant', createdAt: 'instant' },
});

/** The place behind so many deltas of a message. */
export const cursorOf = (messageId: string, seq: number) => Buffer.from(`${messageId}.${seq}`).toString('base64url');

/** How long a message waits for its writer to be heard of. */
export const leaseMs = 30_000;
/** How long it waits for the assistant to begin. */
export const beginMs = 55_000;
export const maxDeltas = 100;
export const maxUsageBytes = 4 * 1024;

/** One piece of a message, as it is kept. */
export type Delta = { readonly text: string } | { readonly reasoning: string } | { readonly part: MessagePartRow };

const delta = z
  .object({ text: z.string().nullish(), reasoning: z.string().nullish(), part: PartInput.nullish() })
  .transform(({ text, reasoning, part }): Delta => {
    if (part) return { part };
    return reasoning == null ? { text: text ?? '' } : { reasoning };
  });

export const Appending = z.object({
  streamId: z.string(),
  afterSeq: z.int().min(0).nullish(),
  deltas: z.array(delta).max(maxDeltas, `must be at most ${maxDeltas}`),
});

export const Finishing = z
  .object({
    streamId: z.string(),
    status: z.enum(['COMPLETE', 'FAILED'], 'must be COMPLETE or FAILED'),
    failure: textUpTo(500).nullish(),
    usage: z.unknown().optional(),
  })
  .refine(({ status, failure }) => status === 'FAILED' || failure == null, {
    message: 'is for FAILED only',
    path: ['failure'],
  });

/** The parts that deltas make: text goes on text, reasoning on reasoning, everything else stands for itself. */
export function partsOfDeltas(deltas: readonly Delta[]): MessagePartRow[] {
  const parts: MessagePartRow[] = [];
  for (const one of deltas) {
    const last = parts.at(-1);
    if ('part' in one) parts.push(one.part);
    else if ('text' in one)
      if (last?.type === 'TextPart') parts[parts.length - 1] = { ...last, text: last.text + one.text };
      else parts.push({ type: 'TextPart', text: one.text });
    else if (last?.type === 'ReasoningPart') parts[parts.length - 1] = { ...last, text: last.text + one.reasoning };
    else parts.push({ type: 'ReasoningPart', text: one.reasoning });
  }
  return parts;
}

/** The same deltas with neighbours that go on each other as one. */
export function joined(deltas: readonly Delta[]): Delta[] {
  const all: Delta[] = [];
  for (const one of deltas) {
    const last = all.at(-1);
    if (last && 'text' in last && 'text' in one) all[all.length - 1] = { text: last.text + one.text };
    else if (last && 'reasoning' in last && 'reasoning' in one)
      all[all.length - 1] = { reasoning: last.reasoning + one.reasoning };
    else all.push(one);
  }
  return all;
}
