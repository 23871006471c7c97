import type { Ctx } from '../../core/context.js';
import { notFound, staleVersion } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { shape } from '../../core/shape.js';
import { columnsSql } from '../../core/sql.js';
import { unchanged } from '../../core/versions.js';
import { type Tx, type Written, write } from '../../core/write.js';
import { writeExisting } from '../../core/write-existing.js';
import type { CreateNoteInput, DeleteNoteInput, UpdateNoteInput } from '../../generated/graphql.js';
import { removeLinksOf } from './ends.js';
import { forgetKeywords, indexKeywords } from './keyword-index.js';
import { extractKeywords, givenKeywords, type KeywordOf } from './keywords.js';
import { stopWordsOf } from './languages.js';
import { assertFits, NewNote, NoteChange, type NoteRow, noteShape } from './note.js';

const columns = columnsSql(noteShape);

/** Where a note is, without its content. */
const noteHome = shape<Pick<NoteRow, 'id' | 'spaceId'>>({
  model: 'Note',
  key: 'id',
  columns: ['id', 'spaceId'],
  always: ['id'],
  fields: {},
  inJson: {},
});

/** Writes a note; what it is linked to is found afterwards. */
export async function createNote(ctx: Ctx, input: CreateNoteInput): Promise<Written<NoteRow>> {
  const { spaceId, title, content, keywords: given } = parse(NewNote, input);
  assertFits(content);
  return write(ctx, 'note.write', { space: spaceId }, async (tx) => {
    const keywords = await keywordsOf(tx, title, content, given);
    const [row] =
      await tx.sql<NoteRow>`insert into "Note" (id, "spaceId", "authorId", title, content, keywords, "keywordsGiven", "createdAt", "updatedAt")
      values (${newId('note')}, ${spaceId}, ${tx.actorId}, ${title}, ${content}, ${wordsOf(keywords)}, ${given != null}, ${tx.now}, ${tx.now})
      returning ${columns}`;
    if (!row) throw new Error('A note was not made.');
    await indexKeywords(tx, { type: 'Note', ...row }, keywords);
    tx.emit('note.created', 'Note', row.id, { version: row.version });
    return row;
  });
}

/** Changes the fields that are given; CONFLICT unless it has the version. */
export async function updateNote(ctx: Ctx, input: UpdateNoteInput): Promise<Written<NoteRow>> {
  const { id, version, ...change } = parse(NoteChange, input);
  if (change.content != null) assertFits(change.content);
  return writeExisting(ctx, 'note.write', noteHome, id, async (tx) => {
    const note = await lock(tx, id, version);
    const title = change.title ?? note.title;
    const content = change.content ?? note.content;
    // Left out, keywords that somebody chose stay and others follow the text; null gives them back to the text.
    const given = change.keywords === undefined && note.keywordsGiven ? note.keywords : change.keywords;
    const keywords = await keywordsOf(tx, title, content, given);
    const [row] =
      await tx.sql<NoteRow>`update "Note" set title = ${title}, content = ${content}, keywords = ${wordsOf(keywords)}, "keywordsGiven" = ${given != null},
        "linkStatus" = 'PENDING', version = version + 1, "updatedAt" = greatest("updatedAt", ${tx.now})
      where id = ${id} and version = ${version} returning ${columns}`;
    if (!row) throw await unchanged(tx, noteShape, id);
    await indexKeywords(tx, { type: 'Note', ...row }, keywords);
    tx.emit('note.updated', 'Note', id, { version: row.version });
    return row;
  });
}

/** Deletes a note with its links. */
export async function deleteNote(ctx: Ctx, { id, version }: DeleteNoteInput): Promise<Written<string>> {
  const change = async (tx: Tx) => {
    // The note goes first: whoever is linking it waits here, and then finds it gone or has the link removed with it.
    const [row] = await tx.sql<Pick<NoteRow, 'version'>>`delete from "Note"
      where id = ${id} and version = coalesce(${version ?? null}::int, version) returning version`;
    if (!row) throw await unchanged(tx, noteShape, id);
    await forgetKeywords(tx, id);
    await removeLinksOf(tx, [id]);
    tx.emit('note.deleted', 'Note', id, { version: row.version }, { operation: 'DELETE' });
    return id;
  };
  return writeExisting(ctx, 'note.write', noteHome, id, change, { operation: 'DELETE' });
}

const keywordsOf = async (tx: Tx, title: string, content: string, given: readonly string[] | null | undefined) =>
  given == null ? extractKeywords(title, content, await stopWordsOf(tx, title, content)) : givenKeywords(given);

const wordsOf = (keywords: readonly KeywordOf[]) => keywords.map(({ word }) => word);

/** The note as it stands, held against other writers until the change commits; CONFLICT unless it has the version. */
async function lock(tx: Tx, id: string, version: number) {
  const [note] = await tx.sql<
    Pick<NoteRow, 'title' | 'content' | 'keywords' | 'version'> & { keywordsGiven: boolean }
  >`select title, content, keywords, "keywordsGiven", version from "Note" where id = ${id} for no key update`;
  if (!note) throw notFound();
  if (note.version !== version) throw staleVersion('The note', note.version);
  return note;
}
