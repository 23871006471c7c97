import { z } from 'zod';
import { isObject } from '../../core/json.js';
import { name, version } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { Chat as ChatModel } from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';
import { jsonText } from './part.js';

const columns = [
  'id',
  'spaceId',
  'ownerId',
  'title',
  'context',
  'summary',
  'archivedAt',
  'version',
  'createdAt',
  'updatedAt',
] as const;
/** `context` is the value itself or, where a loader read it, its text. */
export type ChatRow = Omit<Pick<ChatModel, (typeof columns)[number]>, 'context'> & { readonly context: unknown };

/** What leaves the database of a chat. */
export const chatShape = shape<ChatRow>({
  model: 'Chat',
  key: 'id',
  columns,
  always: ['id', 'spaceId'],
  fields: { space: ['spaceId'], owner: ['ownerId'], messages: ['id'], activeStream: ['id'] },
  inJson: { context: 'never', archivedAt: 'instant', createdAt: 'instant', updatedAt: 'instant' },
  along: { owner: { column: 'ownerId', shape: userShape } },
});

export const defaultTitle = 'New chat';
const maxContextBytes = 64 * 1024;

const context = z
  .unknown()
  .refine((value) => value == null || isObject(value), 'must be a JSON object')
  .optional();

export const NewChat = z.object({ spaceId: z.string(), title: name.nullish(), context });
export const ChatChange = z.object({
  id: z.string(),
  version,
  title: name.optional(),
  context: context.refine((value) => value !== null, 'must be a JSON object'),
});
export const Archiving = z.object({ id: z.string(), version, archived: z.boolean() });

/** A context as it is kept; null when none was given. */
export const contextText = (value: unknown): string | null =>
  value === undefined ? null : jsonText(value, 'context', maxContextBytes);
