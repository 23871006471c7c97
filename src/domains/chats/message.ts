import { z } from 'zod';
import { isSoundText } from '../../core/json.js';
import { shape } from '../../core/shape.js';
import type { Message as MessageModel } from '../../generated/prisma/client.js';
import { JsonText } from '../../platform/database/database.js';
import { userShape } from '../identity/user.js';
import { type MessagePartRow, maxParts, PartInput } from './part.js';

const columns = [
  'id',
  'spaceId',
  'chatId',
  'seq',
  'role',
  'parts',
  'status',
  'authorId',
  'replyToId',
  'clientMessageId',
  'metadata',
  'usage',
  'failure',
  'completedAt',
  'createdAt',
] as const;
type Json = 'parts' | 'metadata' | 'usage';
/** JSON is the value itself or, where a loader read it, its text. */
export type MessageRow = Omit<Pick<MessageModel, (typeof columns)[number]>, Json> & {
  readonly [Column in Json]: unknown;
};

/** What leaves the database of a message. */
export const messageShape = shape<MessageRow>({
  model: 'Message',
  key: 'id',
  columns,
  always: ['id'],
  fields: { chat: ['chatId'], parts: ['parts', 'status'], author: ['authorId'], replyTo: ['replyToId'] },
  inJson: { parts: 'never', metadata: 'never', usage: 'never', completedAt: 'instant', createdAt: 'instant' },
  along: { author: { column: 'authorId', shape: userShape } },
});

/** The parts of a message, checked when they were written. */
export function partsOf({ parts }: Pick<MessageRow, 'parts'>): readonly MessagePartRow[] {
  return (parts instanceof JsonText ? parts.toJSON() : parts) as readonly MessagePartRow[];
}

export const maxMetadataBytes = 16 * 1024;

const clientMessageId = z
  .string()
  .min(1, 'must not be empty')
  .max(255, 'must be at most 255 characters')
  .refine(isSoundText, 'must not hold U+0000 or lone surrogates');

export const NewMessage = z
  .object({
    chatId: z.string(),
    role: z.enum(['SYSTEM', 'USER', 'ASSISTANT', 'TOOL']),
    parts: z.array(PartInput).max(maxParts, `must be at most ${maxParts}`),
    clientMessageId: clientMessageId.nullish(),
    metadata: z.unknown().optional(),
    reply: z.boolean(),
    stream: z.boolean(),
  })
  .superRefine(({ role, parts, reply, stream }, { addIssue }) => {
    const refuse = (field: string, message: string) => addIssue({ code: 'custom', path: [field], message });
    if (stream && role !== 'ASSISTANT') refuse('stream', 'is for ASSISTANT only');
    if (stream && parts.length > 0) refuse('parts', 'must be empty for a stream');
    if (!stream && parts.length === 0) refuse('parts', 'must not be empty');
    if (reply && role === 'ASSISTANT') refuse('reply', 'is not for ASSISTANT');
    if (role === 'TOOL' && parts.some(({ type }) => type !== 'ToolResultPart'))
      refuse('parts', 'must be results of tools for TOOL');
  });
