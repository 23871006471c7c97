import { z } from 'zod';
import { AppError } from '../../core/errors.js';
import { isSoundText } from '../../core/json.js';
import { name, version } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { Note as NoteModel } from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';
import { maxGiven, maxKeyword, normalWord } from './keywords.js';

const columns = [
  'id',
  'spaceId',
  'authorId',
  'title',
  'content',
  'keywords',
  'linkStatus',
  'version',
  'createdAt',
  'updatedAt',
] as const;
export type NoteRow = Pick<NoteModel, (typeof columns)[number]>;

/** What leaves the database of a note. */
export const noteShape = shape<NoteRow>({
  model: 'Note',
  key: 'id',
  columns,
  always: ['id'],
  fields: { space: ['spaceId'], author: ['authorId'] },
  inJson: { createdAt: 'instant', updatedAt: 'instant' },
  along: { author: { column: 'authorId', shape: userShape } },
});

export const maxContentBytes = 256 * 1024;

const content = z.string().refine(isSoundText, 'must not hold U+0000 or lone surrogates');
const keyword = z
  .string()
  .refine(isSoundText, 'must not hold U+0000 or lone surrogates')
  .transform(normalWord)
  .refine((word) => word.length > 0, 'must not be empty')
  .refine((word) => word.length <= maxKeyword, `must be at most ${maxKeyword} characters`);
const keywords = z.array(keyword).max(maxGiven, `must be at most ${maxGiven}`).nullish();

export const NewNote = z.object({ spaceId: z.string(), title: name, content, keywords });
export const NoteChange = z.object({
  id: z.string(),
  version,
  title: name.nullish(),
  content: content.nullish(),
  keywords,
});
export const NoteFilter = z.object({ keyword: keyword.nullish(), authorId: z.string().nullish() });

/** Refuses a content that is larger than what is kept. */
export function assertFits(content: string): void {
  const bytes = Buffer.byteLength(content);
  if (bytes <= maxContentBytes) return;
  throw new AppError('PAYLOAD_TOO_LARGE', `content: ${bytes} bytes, at most ${maxContentBytes} are kept.`, {
    fields: [{ path: 'content', message: `must be at most ${maxContentBytes} bytes` }],
  });
}
