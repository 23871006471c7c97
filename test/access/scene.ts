import { newId, typeOfId } from '../../src/core/ids.js';
import { chatting } from '../support/chats.js';
import type { Door } from '../support/files.js';
import { notesOf } from '../support/knowledge.js';
import { newComment, newDraft, newPost } from '../support/posts.js';
import { tasksOf } from '../support/tasks.js';
import { invite } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import type { World } from '../support/world.js';
import { type Edge, edgesThrough, rootEdges } from './crawl.js';
import { type Actor, actorNames, fileStage, standingOf, visibilities } from './file-stage.js';

/** Something that nobody comes across who may not: an id, or words of a content. */
export interface Secret {
  readonly text: string;
  readonly mayKnow: (actor: Actor) => boolean;
}

const insiders = actorNames.filter((actor) => standingOf(actor, 'SPACE').inside);
const writers: readonly Actor[] = ['editor', 'admin', 'owner', 'fileOwner'];
const isOf = (group: readonly Actor[]) => (actor: Actor) => group.includes(actor);

/** A space with one thing of each kind, what may be known of it by whom, and the root fields that lead into it. */
export async function scene(w: World, door: Door, visibility: 'PRIVATE' | 'PUBLIC') {
  const on = await fileStage(w, door, { visibility });
  const { fileOwner, owner } = on.people;
  const spaceId = on.space.id;
  // Of this space: what is found elsewhere is nobody's leak.
  const own = (what: string) => `content ${what} ${on.word}`;
  const [value, title, remark] = [own('value'), own('post'), own('comment')];
  const draft = await newDraft(fileOwner, spaceId, { title: 'draft secret', content: 'draft secret' });
  const onDraft = await newComment(fileOwner, draft.id, 'draft secret comment');
  const { linked } = notesOf(fileOwner, spaceId);
  const toDraft = await linked(on.hub, draft.id, { kind: 'draft-secret' });
  const post = await newPost(fileOwner, spaceId, { title });
  const onPost = await newComment(fileOwner, post.id, remark);
  const toPost = await linked(on.hub, post.id, { kind: 'content-link' });
  const tree = await treeOf(fileOwner, spaceId).put('/inside', value);
  const { data } = await tasksOf(fileOwner, spaceId).create({ type: 'acme.inside', title: 'inside task' });
  const task: string = data.createTask.task.id;
  const onTask = await newComment(fileOwner, task, 'inside comment');
  const chat = await chatting(fileOwner).begin(spaceId, { title: 'inside chat' });
  const { message } = (await chatting(fileOwner).say(chat.id, 'inside message')).data.sendMessage;
  const offer = await invite(owner, w.stranger, { spaceId, spaceRole: 'VIEWER' });
  const key = {
    id: newId('key'),
    name: 'inside key',
    prefix: 'canopy_uk_12345',
    hash: newId('key'),
    scopes: [],
    spaceIds: [],
  };
  await w.app.database.prisma.apiKey.create({ data: { ...key, userId: owner.id } });
  await w.runJobs();

  const readers = visibility === 'PUBLIC' ? actorNames.filter((actor) => actor !== 'keyOfAnotherSpace') : insiders;
  const content = [spaceId, on.folder, on.hub, post.id, onPost.id, toPost.id, tree.data.writeTreeNode.treeNode.id];
  const groups: (readonly [readonly Actor[], readonly string[]])[] = [
    [readers, [...content, value, title, remark, 'content-link']],
    [
      insiders,
      [task, onTask.id, chat.id, message.id, 'inside task', 'inside comment', 'inside chat', 'inside message'],
    ],
    [writers, [draft.id, onDraft.id, toDraft.id, 'draft secret', 'draft-secret']],
    [['admin', 'owner'], [offer.id]],
    [['owner'], [key.id]],
  ];
  const secrets: Secret[] = [
    ...groups.flatMap(([group, texts]) => texts.map((text) => ({ text, mayKnow: isOf(group) }))),
    ...visibilities.flatMap((one) => {
      const { file, version, grant, upload, comment, reply, link } = on.of(one);
      const standing = (actor: Actor) => standingOf(actor, one);
      const sees = (actor: Actor) => standing(actor).sees;
      return [
        ...[file, version, comment, reply, `${one} secret`].map((text) => ({ text, mayKnow: sees })),
        ...[link, `secret-${one.toLowerCase()}`].map((text) => ({
          text,
          mayKnow: (actor: Actor) => sees(actor) && readers.includes(actor),
        })),
        { text: grant, mayKnow: (actor: Actor) => standing(actor).shares || standing(actor).granted },
        { text: upload, mayKnow: (actor: Actor) => standing(actor).shares },
      ];
    }),
  ];

  const byType = new Map<string, string[]>();
  for (const id of [...secrets.map(({ text }) => text), w.organization.id, owner.id, fileOwner.id]) {
    const type = typeOfId(id);
    if (type) byType.set(type, [...(byType.get(type) ?? []), id]);
  }
  const space = `spaceId: "${spaceId}"`;
  const args = {
    auditEvents: `(${space})`,
    viewer: '',
    events: `(${space}, first: 100)`,
    graph: `(root: "${on.hub}")`,
    search: `(text: "secret inside content ${on.word}", first: 100)`,
    treeNode: `(${space}, path: "/inside")`,
    tree: `(${space})`,
    folder: `(${space}, path: "/plans")`,
    organization: `(by: { id: "${w.organization.id}" })`,
  };
  const roots: Edge[] = [
    ...rootEdges(args, 1),
    // What those may ask, too, who have not signed in.
    ...edgesThrough(`space(by: { id: "${spaceId}" })`, 'Space', 1),
    ...[post.id, draft.id].flatMap((id) => edgesThrough(`post(by: { id: "${id}" })`, 'Post', 1)),
    ...visibilities.flatMap((one) => edgesThrough(`file(id: "${on.of(one).file}")`, 'File', 1)),
  ];
  return { on, secrets, roots, ids: (type: string) => byType.get(type) ?? [] };
}
export type Scene = Awaited<ReturnType<typeof scene>>;
