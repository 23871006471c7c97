import { bytesOf } from './bytes.js';
import { chatting } from './chats.js';
import { type Door, documents as fileDocuments, filesOf } from './files.js';
import { notesOf } from './knowledge.js';
import { newComment, newDraft, newPost, postsOf } from './posts.js';
import { type TaskAnswer, tasksOf } from './tasks.js';
import { make } from './tenancy.js';
import { treeOf } from './tree.js';
import type { Person, World } from './world.js';

/** One line of an export. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into lines of any form.
export type LineOf = any;

/** What people do with exports, over the address that they are given. */
export function transferOf(w: World, door: Door) {
  const finished = async (person: Person, spaceId: string, input: object): Promise<TaskAnswer> => {
    const tasks = tasksOf(person, spaceId);
    const { id } = await tasks.made(input);
    await w.runJobs();
    return tasks.task(id);
  };
  const textOf = async (task: TaskAnswer): Promise<string> => {
    if (task.status !== 'COMPLETED') throw new Error(JSON.stringify(task));
    const answer = await door.fetch(task.resultLocation);
    if (answer.status !== 200) throw new Error(`The export answered ${answer.status}.`);
    return answer.text();
  };
  const self = {
    export: (person: Person, spaceId: string, parameters: object = {}): Promise<TaskAnswer> =>
      finished(person, spaceId, { type: 'space.export', parameters }),
    import: (person: Person, spaceId: string, fileId: string): Promise<TaskAnswer> =>
      finished(person, spaceId, { type: 'space.import', parameters: { fileId } }),
    textOf,
    async lines(person: Person, spaceId: string, parameters: object = {}): Promise<readonly LineOf[]> {
      return linesIn(await textOf(await self.export(person, spaceId, parameters)));
    },
    /** A file of these lines, to be imported. */
    async file(person: Person, spaceId: string, lines: readonly unknown[]): Promise<string> {
      const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
      const name = `${Math.random().toString(36).slice(2)}.jsonl`;
      const files = filesOf(person, spaceId, door);
      return (await files.upload(Buffer.from(`${text}\n`), { name, mimeType: 'application/jsonl' })).id;
    },
  };
  return self;
}

export const linesIn = (text: string): readonly LineOf[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

export const header = {
  format: 'canopy.space',
  version: 1,
  exportedAt: '2026-01-01T00:00:00.000Z',
  space: { name: 'A', slug: 'a', visibility: 'PRIVATE' },
};

const people = ['author', 'owner', 'assignee', 'createdBy'];

/** An export without what an import does not keep: ids become numbers in their order, people are nobody, and of the header the format stays. */
export function canonical([{ format, version }, ...lines]: readonly LineOf[]): readonly LineOf[] {
  const ids = lines.map(({ id }) => id).filter(Boolean);
  let text = JSON.stringify(
    lines.map((line) => ({
      ...line,
      ...Object.fromEntries(people.filter((key) => key in line).map((key) => [key, null])),
    })),
  );
  for (const [at, id] of ids.entries()) text = text.replaceAll(id, `#${at}`);
  return [{ format, version }, ...JSON.parse(text)];
}

const odd = 'Bohnen säen — 豆を蒔く 🫘‍🌱 \u202bفول\u202c "quoted" \\ \u2028 tab\t é';

/** A space in which there is something of everything. */
export async function fillSpace(w: World, person: Person, spaceId: string, door: Door): Promise<void> {
  const files = filesOf(person, spaceId, door);
  for (const path of ['/plans', '/plans/2026', '/plans/2026/März', '/plans-b', '/空']) await files.folder(path);
  const large = await files.upload(bytesOf(1_300_000), {
    name: 'Bild 🌱.bin',
    folderPath: '/plans/2026/März',
    mimeType: 'application/octet-stream',
    visibility: 'PRIVATE',
  });
  const text = await files.upload(Buffer.from('one'), { name: 'text.txt', folderPath: '/空', visibility: 'PUBLIC' });
  const fresh = (bytes: string) => files.upload(Buffer.from(bytes), { fileId: text.id, name: null });
  await fresh('two');
  const { version } = await fresh('three is the last');
  await make(person, fileDocuments.restore, { id: text.id, version, number: 2 });

  const tree = treeOf(person, spaceId);
  const node = (await tree.put('/beds', { beans: [1, 2.5, 1e300, null, true], odd })).data.writeTreeNode.treeNode;
  await tree.put('/beds/nörd/🫘', odd, { contentType: 'text/plain; charset=utf-8' });
  await tree.put('/beds/north', 'first');
  await tree.put('/beds/north', { second: { deep: { deeper: [[[]]] } } });
  await tree.put('/', 'the root');
  await tree.put('/gone', 1);
  await tree.remove('/gone');

  const notes = notesOf(person, spaceId);
  const beans = 'Beans want warm soil and a trellis. Sow beans in rows; water the beans and the trellis grows green.';
  const first = await notes.note('Sowing beans', { content: beans });
  const second = await notes.note('Beans on a trellis', { content: `${beans} Trellis of hazel.` });
  const third = await notes.note(odd, { content: `${odd}\n\n# Heading\n`, keywords: ['Chosen', 'Zwei Wörter'] });
  await w.runJobs();

  const draft = await newDraft(person, spaceId, { title: 'A draft', content: odd });
  const posted = await newPost(person, spaceId, { title: odd, content: `${odd}\n`.repeat(50), excerpt: 'An excerpt' });
  for (const subject of [posted.id, node.id, large.id]) {
    let parent: string | null = null;
    for (let depth = 0; depth <= 8; depth += 1)
      parent = (await newComment(person, subject, `${depth} ${odd}`, parent)).id;
  }
  const place = await newComment(person, posted.id, 'to be deleted');
  await newComment(person, posted.id, 'its reply', place.id);
  await postsOf(person).removeComment({ id: place.id, version: 1 });

  await notes.linked(third.id, posted.id, { kind: 'cites' });
  await notes.linked(first.id, third.id);
  await notes.linked(node.id, draft.id, { kind: 'about' });
  await notes.linked(text.id, second.id, { kind: 'holds' });

  await fillChats(person, spaceId, first.id);

  const tasks = tasksOf(person, spaceId);
  const todo = await tasks.made({
    title: odd,
    parameters: { a: [odd] },
    priority: 7,
    dueAt: '2027-01-01T00:00:00.000Z',
    assigneeId: person.id,
  });
  await tasks.moved(todo.id, 1, 'RUNNING');
  await tasks.made({ title: 'Waits' });
  await tasks.made({ type: 'tree.checksum', parameters: { pathPrefix: '/beds' } });
  const outside = await tasks.made({ type: 'acme.render', maxAttempts: 1, concurrencyKey: 'k' });
  const { leaseToken } = await tasks.claimed(['acme.render']);
  await tasks.report({ id: outside.id, leaseToken, progress: 40, logs: [odd, 'more'], output: { piece: odd } });
  await tasks.fail({ id: outside.id, leaseToken, code: 'acme.BROKEN', message: odd, retryable: false });
  await tasks.made({ type: 'acme.later' });
  await w.runJobs();
}

/** Chats of whose messages some are whole, one broke off, and one is being written. */
async function fillChats(person: Person, spaceId: string, noteId: string): Promise<void> {
  const chats = chatting(person);
  const { id } = await chats.begin(spaceId, { title: odd, context: { keep: [odd] } });
  await chats.say(id, odd, { clientMessageId: 'client-1', metadata: { mood: odd } });
  const parts = [
    { step: true },
    { reasoning: { text: odd, state: 'DONE', reasoningId: 'r' } },
    { toolCall: { toolCallId: 'call-1', toolName: 'search', input: { query: odd }, providerExecuted: true } },
    { source: { sourceId: noteId, mediaType: 'text/markdown', title: odd } },
    { source: { sourceId: 'elsewhere', url: 'https://example.com/beans' } },
    { image: { url: 'data:image/png;base64,AAAA', mediaType: 'image/png', filename: 'a.png' } },
    { file: { url: 'https://example.com/a.pdf', mediaType: 'application/pdf' } },
    { data: { name: 'chart', dataId: 'd', data: { points: [1, 2] } } },
    { text: { text: '', providerMetadata: { p: { odd } } } },
  ];
  await chats.send(id, { role: 'ASSISTANT', parts });
  await chats.send(id, {
    role: 'TOOL',
    parts: [{ toolResult: { toolCallId: 'call-1', output: { found: [odd] } } }],
  });
  const open = await chats.open(id);
  await chats.append(open.streamId, [{ text: 'It broke ' }, { text: 'off' }]);
  await chats.finish(open.streamId, { status: 'FAILED', failure: odd, usage: { totalTokens: 3 } });
  await chats.say(id, 'And on');
  await chats.open(id);
  await chats.begin(spaceId, { title: 'Empty' });
}
