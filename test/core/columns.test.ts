import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type GraphQLObjectType, getNamedType, isLeafType, isObjectType } from 'graphql';
import { doorOf, filesOf } from '../support/files.js';
import { schema, type World, world } from '../support/world.js';

// A clock that stands still: addresses say when they end.
const at = new Date();
let w: World;
let ids: Record<string, string>;
beforeAll(async () => {
  w = await world({ now: () => at });
  const spaceId = w.space.id;
  await w.owner.run('mutation ($i: UpdateProfileInput!) { updateProfile(input: $i) { user { id } } }', {
    i: { bio: 'b', fullName: 'f', preferences: { a: 1 } },
  });
  await w.owner.run('mutation ($i: WriteTreeNodeInput!) { writeTreeNode(input: $i) { treeNode { id } } }', {
    i: { spaceId, path: '/a', value: 1 },
  });
  const node = await w.owner.run(
    'mutation ($i: WriteTreeNodeInput!) { writeTreeNode(input: $i) { treeNode { id } } }',
    { i: { spaceId, path: '/a/b', value: { x: 2 } } },
  );
  const key = await w.owner.run('mutation ($i: CreateApiKeyInput!) { createApiKey(input: $i) { apiKey { id } } }', {
    i: { name: 'k', scopes: ['tree:read'], spaceIds: [spaceId] },
  });
  const invitation = await w.owner.run(
    'mutation ($i: CreateInvitationInput!) { createInvitation(input: $i) { invitation { id } } }',
    { i: { spaceId, spaceRole: 'VIEWER', email: 'a@example.com' } },
  );
  const folder = await w.owner.run('mutation ($i: CreateFolderInput!) { createFolder(input: $i) { folder { id } } }', {
    i: { spaceId, path: '/plans' },
  });
  const door = await doorOf(w.app);
  const file = await filesOf(w.owner, spaceId, door).upload(Buffer.from('text'), { folderPath: '/plans' });
  const upload = await filesOf(w.owner, spaceId, door).started(Buffer.from('more'), { name: 'b.txt' });
  await door.close();
  const grant = await w.owner.run(
    'mutation ($i: GrantAccessInput!) { grantAccess(input: $i) { accessGrant { id } } }',
    { i: { fileId: file.id, user: { id: w.viewer.id } } },
  );
  const versions = await w.owner.run('query ($id: ID!) { file(id: $id) { versions { nodes { id } } } }', {
    id: file.id,
  });
  const make = 'mutation ($i: CreateNoteInput!) { createNote(input: $i) { note { id } } }';
  const note = await w.owner.run(make, { i: { spaceId, title: 'Beans', content: 'climb' } });
  const link = await w.owner.run('mutation ($i: CreateLinkInput!) { createLink(input: $i) { link { id } } }', {
    i: { sourceId: note.data.createNote.note.id, targetId: node.data.writeTreeNode.treeNode.id },
  });
  const post = await w.owner.run('mutation ($i: CreatePostInput!) { createPost(input: $i) { post { id } } }', {
    i: { spaceId, title: 'P', content: 'c' },
  });
  const postId = post.data.createPost.post.id;
  const publish = 'mutation ($i: PublishPostInput!) { publishPost(input: $i) { post { id } } }';
  await w.owner.run(publish, { i: { id: postId, version: 1 } });
  const comment = 'mutation ($i: CreateCommentInput!) { createComment(input: $i) { comment { id } } }';
  const top = await w.owner.run(comment, { i: { subjectId: postId, content: 'a' } });
  const reply = await w.owner.run(comment, {
    i: { subjectId: postId, content: 'b', parentId: top.data.createComment.comment.id },
  });
  const task = await w.owner.run('mutation ($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }', {
    i: { spaceId, title: 'T', assigneeId: w.owner.id, dueAt: '2027-01-01T00:00:00.000Z' },
  });
  const chat = await w.owner.run('mutation ($i: CreateChatInput!) { createChat(input: $i) { chat { id } } }', {
    i: { spaceId, title: 'Chat', context: { a: 1 } },
  });
  const chatId = chat.data.createChat.chat.id;
  const send = `mutation ($i: SendMessageInput!) { sendMessage(input: $i) { message { id } stream { id } } }`;
  const message = await w.owner.run(send, {
    i: { chatId, parts: [{ text: { text: 'x' } }], metadata: { a: 1 }, clientMessageId: 'c' },
  });
  const stream = await w.owner.run(send, { i: { chatId, role: 'ASSISTANT', stream: true } });
  ids = {
    Note: note.data.createNote.note.id,
    Link: link.data.createLink.link.id,
    Task: task.data.createTask.task.id,
    Post: postId,
    Comment: reply.data.createComment.comment.id,
    Folder: folder.data.createFolder.folder.id,
    File: file.id,
    FileVersion: versions.data.file.versions.nodes[0].id,
    UploadSession: upload.id,
    AccessGrant: grant.data.grantAccess.accessGrant.id,
    Chat: chatId,
    Message: message.data.sendMessage.message.id,
    ChatStream: stream.data.sendMessage.stream.id,
    TreeNode: node.data.writeTreeNode.treeNode.id,
    ApiKey: key.data.createApiKey.apiKey.id,
    Invitation: invitation.data.createInvitation.invitation.id,
    User: w.owner.id,
    Space: spaceId,
    Organization: w.organization.id,
  };
});
afterAll(() => w.close());

interface Way {
  readonly ask: (selection: string) => string;
  /** Where the object is in the answer. */
  readonly at: string;
}

const byId = (type: string): Way => ({
  ask: (selection) => `{ node(id: "${ids[type]}") { ... on ${type} { ${selection} } } }`,
  at: 'node',
});

/** The way to each type that is read from a table. */
const ways: Readonly<Record<string, Way>> = {
  TreeNode: byId('TreeNode'),
  Folder: byId('Folder'),
  File: byId('File'),
  FileVersion: byId('FileVersion'),
  UploadSession: byId('UploadSession'),
  AccessGrant: byId('AccessGrant'),
  Note: byId('Note'),
  Link: byId('Link'),
  Post: byId('Post'),
  Task: byId('Task'),
  Comment: byId('Comment'),
  Chat: byId('Chat'),
  Message: byId('Message'),
  ChatStream: byId('ChatStream'),
  ApiKey: byId('ApiKey'),
  Invitation: byId('Invitation'),
  User: byId('User'),
  Space: byId('Space'),
  Organization: byId('Organization'),
  Profile: {
    ask: (selection) => `{ user(by: { id: "${ids['User']}" }) { profile { ${selection} } } }`,
    at: 'user.profile',
  },
  TreeNodeVersion: {
    ask: (selection) =>
      `{ node(id: "${ids['TreeNode']}") { ... on TreeNode { versions { nodes { ${selection} } } } } }`,
    at: 'node.versions.nodes.0',
  },
  TaskEvent: {
    ask: (selection) => `{ node(id: "${ids['Task']}") { ... on Task { events { nodes { ${selection} } } } } }`,
    at: 'node.events.nodes.0',
  },
  SpaceMember: {
    ask: (selection) => `{ space(by: { id: "${ids['Space']}" }) { members { edges { node { ${selection} } } } } }`,
    at: 'space.members.edges.0.node',
  },
  OrganizationMember: {
    ask: (selection) => `{ organization(by: { id: "${ids['Organization']}" }) { members { nodes { ${selection} } } } }`,
    at: 'organization.members.nodes.0',
  },
  AuditEvent: {
    ask: (selection) => `{ auditEvents(spaceId: "${ids['Space']}", last: 1) { nodes { ${selection} } } }`,
    at: 'auditEvents.nodes.0',
  },
};

function select(type: GraphQLObjectType, name: string): string {
  const answers = getNamedType(type.getFields()[name]?.type);
  if (!answers || isLeafType(answers)) return name;
  return isObjectType(answers) && answers.name.endsWith('Connection')
    ? `${name}(first: 1) { nodes { __typename } totalCount }`
    : `${name} { __typename }`;
}

const cases = Object.keys(ways).flatMap((name) => {
  const type = schema.getType(name);
  return isObjectType(type) ? Object.keys(type.getFields()).map((field) => [type, field] as const) : [];
});

test.each(cases)('%s.%s answers alone what it answers among others: its columns are declared', async (type, field) => {
  const way = ways[type.name];
  if (!way) throw new Error(`There is no way to ${type.name}.`);
  const all = Object.keys(type.getFields())
    .map((name) => select(type, name))
    .join(' ');
  const among = await w.owner.run(way.ask(all));
  const alone = await w.owner.run(way.ask(select(type, field)));
  expect(alone.errors).toEqual([]);
  expect(among.errors).toEqual([]);
  expect(objectAt(alone.data, way.at)).toEqual({ [field]: objectAt(among.data, way.at)[field] });
});

function objectAt(data: unknown, path: string): Record<string, unknown> {
  return path.split('.').reduce((at, key) => (at as Record<string, unknown>)[key], data) as Record<string, unknown>;
}
