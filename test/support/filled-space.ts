import { postViews } from '../../src/domains/posts/views.js';
import { chatting } from './chats.js';
import { type Door, documents, filesOf } from './files.js';
import { notesOf } from './knowledge.js';
import { newComment, newPost, postsOf } from './posts.js';
import { tasksOf } from './tasks.js';
import { make } from './tenancy.js';
import { treeOf } from './tree.js';
import type { Person, World } from './world.js';

export type Filled = Awaited<ReturnType<typeof filledWith>>;

const dayMs = 24 * 60 * 60 * 1_000;

/** Who fills a space, and somebody who reads there. */
export interface Cast {
  readonly author: Person;
  readonly reader: Person;
}

/** Puts something of every kind into a space; `word` stands in all of it. Answers what was made. */
export async function filledWith(w: World, door: Door, { author, reader }: Cast, spaceId: string, word: string) {
  const [tree, notes, files] = [treeOf(author, spaceId), notesOf(author, spaceId), filesOf(author, spaceId, door)];
  const tasks = tasksOf(author, spaceId);
  for (const path of ['/beds', '/beds/north', '/gone'])
    await tree.put(path, { about: `In these beds there is ${word} this year.` });
  await tree.put('/beds', `In these beds there is ${word} again.`);
  await tree.remove('/gone');
  await files.folder('/plans');
  await files.folder('/plans/old');
  const bytes = Buffer.from(`A plan of ${word}.`);
  const file = await files.upload(bytes, { name: 'plan.txt', folderPath: '/plans' });
  await files.upload(Buffer.from(`Another plan of ${word}.`), { fileId: file.id, name: null });
  const inner = await files.upload(bytes, { name: 'inner.txt', folderPath: '/plans/old' });
  for (const more of [{ user: { id: reader.id } }, {}])
    await make(author, documents.grant, { fileId: file.id, ...more });
  const open = await files.started(bytes, { name: 'open.txt', folderPath: '/plans/old' });
  await files.put(open, bytes);
  const note = await notes.note(`Notes on ${word}`, { content: `All about ${word}, in the garden.` });
  const other = await notes.note(`More on ${word}`, { content: `More about ${word}, in the garden.` });
  await notes.linked(note.id, other.id);
  await notes.linked(file.id, note.id);
  const post = await newPost(author, spaceId, { title: `A post on ${word}`, content: `Of ${word}.` });
  await postsOf(reader).read({ id: post.id });
  await postViews(w.app).flush();
  const task = await tasks.made({ type: 'manual', title: `Sow ${word}`, parameters: { word } });
  await tasks.made({ type: 'tree.checksum' });
  await tasks.made({ type: 'tree.checksum', runAt: new Date(Date.now() + 60 * dayMs).toISOString() });
  for (const subject of [file.id, note.id, post.id, task.id]) {
    const { id } = await newComment(author, subject, `A remark on ${word}`);
    await newComment(author, subject, `A reply on ${word}`, id);
  }
  const chats = chatting(author);
  const chat = await chats.begin(spaceId, { title: `Talk of ${word}` });
  await chats.say(chat.id, `What of ${word}?`, { reply: true });
  await w.runJobs();
  const { streamId } = await chats.open(chat.id);
  await chats.append(streamId, [{ text: `Half of ${word}` }]);
  return { spaceId, word, file, inner, note, other, post, task, chat, open, files, notes, tree };
}
