import { z } from 'zod';
import { loadPage } from '../../core/pages.js';
import { insertNote } from '../../domains/knowledge/insertion.js';
import { notesOfSpace } from '../../domains/knowledge/loaders.js';
import { NewNote } from '../../domains/knowledge/note.js';
import { date, reference } from './format.js';
import { importer } from './importer.js';
import { handleOf, source } from './source.js';

const oldest = { ...notesOfSpace, order: { ...notesOfSpace.order, direction: 'asc' } } as const;

export const notes = source({
  kind: 'note',
  type: 'Note',
  scopes: ['knowledge:read'],
  page: ({ ctx, spaceId }, args) => loadPage(ctx, oldest, [spaceId], args),
  item: async (exporting, { id, title, content, keywords, linkStatus, authorId, createdAt, updatedAt }) => ({
    kind: 'note',
    id,
    title,
    content,
    keywords,
    linkStatus,
    author: await handleOf(exporting, authorId),
    createdAt,
    updatedAt,
  }),
});

const { title, content, keywords } = NewNote.shape;

export const importNote = importer({
  rules: z.object({
    id: reference,
    title,
    content,
    keywords: keywords.transform((words) => words ?? []),
    linkStatus: z.enum(['PENDING', 'READY', 'FAILED']),
    createdAt: date,
    updatedAt: date,
  }),
  action: 'note.write',
  key: ({ id }) => id,
  add: (tx, given, _, { spaceId, withLinks }) => insertNote(tx, { ...given, spaceId, withLinks }),
});
