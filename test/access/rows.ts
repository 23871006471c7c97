import type { ScopeName } from '../../src/core/actions.js';
import type { Stage } from './stage.js';

/**
 * What each actor gets, in the order of `actors`: `ok`, `null` (absent, or not theirs to know of), U UNAUTHENTICATED, F FORBIDDEN, N NOT_FOUND,
 * C CONFLICT (the action is theirs, its rules refuse). Columns: nobody stranger guest viewer commenter editor admin owner, a key without the scope,
 * a key of another space.
 */
export interface Row {
  readonly scope: ScopeName;
  readonly document: string;
  readonly variables: (stage: Stage) => Record<string, unknown>;
  readonly outcomes: string;
  /** The variables once more with ids that do not exist: a stranger must hear the very same. */
  readonly absent?: (stage: Stage) => Record<string, unknown>;
}

const mutation = (name: string, selection: string) =>
  `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selection} } }`;
const input = (make: (stage: Stage) => object) => (stage: Stage) => ({ input: make(stage) });

const noSpace = 'space_00000000000000000000000000';
const noOrganization = 'org_00000000000000000000000000';
const noChat = 'chat_00000000000000000000000000';
const noStream = 'stream_00000000000000000000000000';
const noUser = 'user_00000000000000000000000000';

/** A tree mutation: the roles from EDITOR up. */
const treeWrite = (name: string, selection: string, rest: object): Row => ({
  scope: 'tree:write',
  document: mutation(name, selection),
  variables: input(({ space }) => ({ spaceId: space.id, ...rest })),
  absent: input(() => ({ spaceId: noSpace, ...rest })),
  outcomes: 'U N F F F ok ok ok F N',
});

const noFile = 'file_00000000000000000000000000';
const noFolder = 'folder_00000000000000000000000000';
const noUpload = 'upload_00000000000000000000000000';
const checksum = '0'.repeat(64);

/** A change of the stage's file, which its owner made: the roles from EDITOR up. */
const fileWrite = (name: string, selection: string, rest: object, outcomes = 'U N F F F ok ok ok F N'): Row => ({
  scope: 'files:write',
  document: mutation(name, selection),
  variables: input(({ file }) => ({ id: file.id, version: 1, ...rest })),
  absent: input(() => ({ id: noFile, version: 1, ...rest })),
  outcomes,
});

/** A change of the stage's folder. */
const folderWrite = (name: string, selection: string, rest: object): Row => ({
  scope: 'files:write',
  document: mutation(name, selection),
  variables: input(({ folder }) => ({ id: folder.id, version: 1, ...rest })),
  absent: input(() => ({ id: noFolder, version: 1, ...rest })),
  outcomes: 'U N F F F ok ok ok F N',
});

const noNote = 'note_00000000000000000000000000';

/** A mutation of something written or linked in the space: the roles from EDITOR up. */
const knowledgeWrite = (
  name: string,
  selection: string,
  rest: (stage: Stage) => object,
  absent: (stage: Stage) => object,
): Row => ({
  scope: 'knowledge:write',
  document: mutation(name, selection),
  variables: input(rest),
  absent: input((stage) => ({ ...rest(stage), ...absent(stage) })),
  outcomes: 'U N F F F ok ok ok F N',
});

const noTask = 'task_00000000000000000000000000';
const noPost = 'post_00000000000000000000000000';
const noComment = 'comment_00000000000000000000000000';

/** A mutation of a post that is there: the roles from EDITOR up. */
const postWrite = (name: string, selection: string, rest: object, state: 'post' | 'draft' = 'post'): Row => ({
  scope: 'posts:write',
  document: mutation(name, selection),
  variables: input((stage) => ({ id: stage[state].id, version: 1, ...rest })),
  absent: input(() => ({ id: noPost, version: 1, ...rest })),
  outcomes: state === 'post' ? 'U N F F F ok ok ok F N' : 'U N N N N ok ok ok F N',
});

/** A mutation of someone else's task: the roles from EDITOR up, or those of `outcomes`. */
const taskWrite = (name: string, rest: object, { outcomes = 'U N F F F ok ok ok F N', of = 'task' } = {}): Row => ({
  scope: 'tasks:write',
  document: mutation(name, 'task { id }'),
  variables: input(({ task, begun }) => ({ id: (of === 'task' ? task : begun).id, ...rest })),
  absent: input(() => ({ id: noTask, ...rest })),
  outcomes,
});

/** Every root field. A field that is missing here fails the matrix. */
export const rootRows: Readonly<Record<string, Row>> = {
  'Query.node': {
    scope: 'tree:read',
    document: 'query ($id: ID!) { node(id: $id) { id } }',
    variables: ({ node }) => ({ id: node.id }),
    absent: () => ({ id: 'node_00000000000000000000000000' }),
    outcomes: 'null null ok ok ok ok ok ok F null',
  },
  'Query.nodes': {
    scope: 'tree:read',
    document: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    variables: ({ node }) => ({ ids: [node.id] }),
    absent: () => ({ ids: ['node_00000000000000000000000000'] }),
    outcomes: 'null null ok ok ok ok ok ok F null',
  },
  'Query.viewer': {
    scope: 'account:read',
    document: '{ viewer { apiKeys { id } } }',
    variables: () => ({}),
    outcomes: 'null ok ok ok ok ok ok ok F ok',
  },
  'Query.user': {
    scope: 'account:read',
    document: 'query ($id: ID!) { user(by: { id: $id }) { id } }',
    variables: ({ idOf }) => ({ id: idOf('member') }),
    absent: () => ({ id: noUser }),
    outcomes: 'U null ok ok ok ok ok ok ok null',
  },
  'Query.organization': {
    scope: 'organizations:read',
    document: 'query ($id: ID!) { organization(by: { id: $id }) { id } }',
    variables: ({ organization }) => ({ id: organization.id }),
    absent: () => ({ id: noOrganization }),
    outcomes: 'U null ok ok ok ok ok ok F ok',
  },
  'Query.space': {
    scope: 'spaces:read',
    document: 'query ($id: ID!) { space(by: { id: $id }) { id } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'null null ok ok ok ok ok ok F null',
  },
  'Mutation.replayJobs': {
    scope: 'spaces:write',
    document: mutation('replayJobs', 'replayedCount'),
    variables: input(({ space }) => ({ spaceId: space.id, ids: ['1'] })),
    absent: input(() => ({ spaceId: noSpace, ids: ['1'] })),
    outcomes: 'U N F F F F ok ok F N',
  },
  'Query.treeNode': {
    scope: 'tree:read',
    document: 'query ($id: ID!) { treeNode(spaceId: $id, path: "/a") { value } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Query.tree': {
    scope: 'tree:read',
    document: 'query ($id: ID!) { tree(spaceId: $id) { nodes { value } } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Query.note': {
    scope: 'knowledge:read',
    document: 'query ($id: ID!) { note(id: $id) { title } }',
    variables: ({ note }) => ({ id: note.id }),
    absent: () => ({ id: noNote }),
    outcomes: 'U null ok ok ok ok ok ok F null',
  },
  'Query.graph': {
    scope: 'knowledge:read',
    document: 'query ($id: ID!) { graph(root: $id) { links { id } } }',
    variables: ({ note }) => ({ id: note.id }),
    absent: () => ({ id: noNote }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Query.post': {
    scope: 'posts:read',
    document: 'query ($id: ID!) { post(by: { id: $id }) { id } }',
    variables: ({ post }) => ({ id: post.id }),
    absent: () => ({ id: noPost }),
    outcomes: 'null null ok ok ok ok ok ok F null',
  },
  'Query.chat': {
    scope: 'chats:read',
    document: 'query ($id: ID!) { chat(id: $id) { id } }',
    variables: ({ chat }) => ({ id: chat.id }),
    absent: () => ({ id: noChat }),
    outcomes: 'U null ok ok ok ok ok ok F null',
  },
  'Query.events': {
    scope: 'events:read',
    document: 'query ($id: ID!) { events(spaceId: $id) { nodes { type } } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Query.auditEvents': {
    scope: 'audit:read',
    document: 'query ($id: ID!) { auditEvents(spaceId: $id) { nodes { action } } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'U N F F F F ok ok F N',
  },
  'Query.explainAccess': {
    scope: 'tree:write',
    document: 'query ($id: ID!) { explainAccess(id: $id, action: "tree.write") { allowed rule missing } }',
    variables: ({ node }) => ({ id: node.id }),
    absent: () => ({ id: 'node_00000000000000000000000000' }),
    outcomes: 'U ok ok ok ok ok ok ok ok ok',
  },
  'Mutation.updateProfile': {
    scope: 'account:write',
    document: mutation('updateProfile', 'user { id }'),
    variables: input(() => ({ bio: 'x' })),
    outcomes: 'U ok ok ok ok ok ok ok F F',
  },
  'Mutation.deleteUser': {
    scope: 'account:write',
    document: mutation('deleteUser', 'deletedUserId'),
    variables: input(() => ({ mode: 'ANONYMIZE' })),
    outcomes: 'U ok ok ok ok ok ok C F F',
  },
  'Mutation.createApiKey': {
    scope: 'account:write',
    document: mutation('createApiKey', 'apiKey { id }'),
    variables: input(() => ({ name: 'k', scopes: ['tree:read'] })),
    outcomes: 'U ok ok ok ok ok ok ok F F',
  },
  'Mutation.rotateApiKey': {
    scope: 'account:write',
    document: mutation('rotateApiKey', 'apiKey { id }'),
    variables: input(({ apiKey }) => ({ id: apiKey.id, version: 1 })),
    absent: input(() => ({ id: 'key_00000000000000000000000000', version: 1 })),
    outcomes: 'U N N N N N N ok F F',
  },
  'Mutation.revokeApiKey': {
    scope: 'account:write',
    document: mutation('revokeApiKey', 'revokedApiKeyId'),
    variables: input(({ apiKey }) => ({ id: apiKey.id })),
    absent: input(() => ({ id: 'key_00000000000000000000000000' })),
    outcomes: 'U N N N N N N ok F F',
  },
  'Mutation.revokeSession': {
    scope: 'account:write',
    document: mutation('revokeSession', 'revokedSessionId'),
    variables: input(() => ({ id: 'of-nobody' })),
    outcomes: 'U N N N N N N N F F',
  },
  'Mutation.openClientSession': {
    scope: 'events:read',
    document: mutation('openClientSession', 'clientSession { id }'),
    variables: input(() => ({ clientUuid: '5f0c5bb0-8f9b-4a53-9d80-0a8f3a1f7a11' })),
    outcomes: 'U ok ok ok ok ok ok ok F F',
  },
  'Mutation.createOrganization': {
    scope: 'organizations:write',
    document: mutation('createOrganization', 'organization { id }'),
    variables: input(({ organization }) => ({ slug: `${organization.slug}-new`, name: 'New' })),
    outcomes: 'U ok ok ok ok ok ok ok F F',
  },
  'Mutation.updateOrganization': {
    scope: 'organizations:write',
    document: mutation('updateOrganization', 'organization { id }'),
    variables: input(({ organization }) => ({ id: organization.id, version: 1, name: 'New' })),
    absent: input(() => ({ id: noOrganization, version: 1, name: 'New' })),
    outcomes: 'U N N F F F F ok F N',
  },
  'Mutation.deleteOrganization': {
    scope: 'organizations:write',
    document: mutation('deleteOrganization', 'deletedOrganizationId'),
    variables: input(({ organization }) => ({ id: organization.id, version: 1 })),
    absent: input(() => ({ id: noOrganization, version: 1 })),
    outcomes: 'U N N F F F F C F N',
  },
  'Mutation.updateOrganizationMember': {
    scope: 'organizations:write',
    document: mutation('updateOrganizationMember', 'organizationMember { role }'),
    variables: input(({ organization, idOf }) => ({
      organizationId: organization.id,
      userId: idOf('member'),
      role: 'ADMIN',
      version: 1,
    })),
    absent: input(() => ({ organizationId: noOrganization, userId: noUser, role: 'ADMIN', version: 1 })),
    outcomes: 'U N N F F F ok ok F N',
  },
  'Mutation.removeOrganizationMember': {
    scope: 'organizations:write',
    document: mutation('removeOrganizationMember', 'removedUserId'),
    variables: input(({ organization, idOf }) => ({ organizationId: organization.id, userId: idOf('member') })),
    absent: input(() => ({ organizationId: noOrganization, userId: noUser })),
    outcomes: 'U N N F F F ok ok F N',
  },
  'Mutation.createInvitation': {
    scope: 'organizations:write',
    document: mutation('createInvitation', 'invitation { id }'),
    variables: input(({ space }) => ({ spaceId: space.id, spaceRole: 'VIEWER', email: 'new@example.com' })),
    absent: input(() => ({ spaceId: noSpace, spaceRole: 'VIEWER', email: 'new@example.com' })),
    outcomes: 'U N F F F F ok ok F N',
  },
  'Mutation.acceptInvitation': {
    scope: 'organizations:write',
    document: mutation('acceptInvitation', 'organization { id }'),
    variables: input(({ token }) => ({ token })),
    outcomes: 'U F ok F F F F F F F',
  },
  'Mutation.revokeInvitation': {
    scope: 'organizations:write',
    document: mutation('revokeInvitation', 'revokedInvitationId'),
    variables: input(({ invitation }) => ({ id: invitation.id })),
    absent: input(() => ({ id: 'inv_00000000000000000000000000' })),
    outcomes: 'U N N N N N ok ok F N',
  },
  'Mutation.createSpace': {
    scope: 'spaces:write',
    document: mutation('createSpace', 'space { id }'),
    variables: input(({ organization }) => ({
      organizationId: organization.id,
      slug: 'new',
      name: 'New',
      tree: [{ path: '/a', value: 1 }],
    })),
    absent: input(() => ({
      organizationId: noOrganization,
      slug: 'new',
      name: 'New',
      tree: [{ path: '/a', value: 1 }],
    })),
    outcomes: 'U N N ok ok ok ok ok F N',
  },
  'Mutation.updateSpace': {
    scope: 'spaces:write',
    document: mutation('updateSpace', 'space { id }'),
    variables: input(({ space }) => ({ id: space.id, version: 1, name: 'New' })),
    absent: input(() => ({ id: noSpace, version: 1, name: 'New' })),
    outcomes: 'U N F F F F ok ok F N',
  },
  'Mutation.deleteSpace': {
    scope: 'spaces:write',
    document: mutation('deleteSpace', 'deletedSpaceId'),
    variables: input(({ space }) => ({ id: space.id, version: 1 })),
    absent: input(() => ({ id: noSpace, version: 1 })),
    outcomes: 'U N F F F F F ok F N',
  },
  'Mutation.restoreSpace': {
    scope: 'spaces:write',
    document: mutation('restoreSpace', 'space { id }'),
    variables: input(({ deletedSpace }) => ({ id: deletedSpace.id })),
    absent: input(() => ({ id: noSpace })),
    outcomes: 'U N F F F F F ok F N',
  },
  'Mutation.addSpaceMember': {
    scope: 'spaces:write',
    document: mutation('addSpaceMember', 'spaceMember { role }'),
    variables: input(({ space, idOf }) => ({ spaceId: space.id, user: { id: idOf('member') }, role: 'VIEWER' })),
    absent: input(() => ({ spaceId: noSpace, user: { id: noUser }, role: 'VIEWER' })),
    outcomes: 'U N F F F F C C F N',
  },
  'Mutation.updateSpaceMember': {
    scope: 'spaces:write',
    document: mutation('updateSpaceMember', 'spaceMember { role }'),
    variables: input(({ space, idOf }) => ({ spaceId: space.id, userId: idOf('member'), role: 'EDITOR', version: 1 })),
    absent: input(() => ({ spaceId: noSpace, userId: noUser, role: 'EDITOR', version: 1 })),
    outcomes: 'U N F F F F ok ok F N',
  },
  'Mutation.removeSpaceMember': {
    scope: 'spaces:write',
    document: mutation('removeSpaceMember', 'removedUserId'),
    variables: input(({ space, idOf }) => ({ spaceId: space.id, userId: idOf('member') })),
    absent: input(() => ({ spaceId: noSpace, userId: noUser })),
    outcomes: 'U N F F F F ok ok F N',
  },
  'Query.search': {
    scope: 'search:read',
    document: 'query ($id: ID!) { search(text: "a", spaceId: $id) { totalCount } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Mutation.writeTreeNode': treeWrite('writeTreeNode', 'treeNode { id }', { path: '/b', value: 2 }),
  'Mutation.patchTreeNode': treeWrite('patchTreeNode', 'treeNode { id }', { path: '/a', patch: { x: 1 } }),
  'Mutation.deleteTreeNode': treeWrite('deleteTreeNode', 'deletedCount', { path: '/a' }),
  'Mutation.moveTreeNode': treeWrite('moveTreeNode', 'movedCount', { path: '/a', toPath: '/b' }),
  'Mutation.restoreTreeNode': treeWrite('restoreTreeNode', 'treeNode { id }', { path: '/a', toVersion: 1 }),
  'Mutation.batchTree': treeWrite('batchTree', 'results { status }', {
    operations: [{ write: { path: '/b', value: 2 } }],
  }),
  'Query.file': {
    scope: 'files:read',
    document: 'query ($id: ID!) { file(id: $id) { id } }',
    variables: ({ file }) => ({ id: file.id }),
    absent: () => ({ id: noFile }),
    outcomes: 'null null ok ok ok ok ok ok F null',
  },
  'Query.folder': {
    scope: 'files:read',
    document: 'query ($id: ID!) { folder(spaceId: $id, path: "/plans") { id } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'U null ok ok ok ok ok ok F null',
  },
  'Mutation.createFolder': {
    scope: 'files:write',
    document: mutation('createFolder', 'folder { id }'),
    variables: input(({ space }) => ({ spaceId: space.id, path: '/new' })),
    absent: input(() => ({ spaceId: noSpace, path: '/new' })),
    outcomes: 'U N F F F ok ok ok F N',
  },
  'Mutation.moveFolder': folderWrite('moveFolder', 'folder { id }', { toPath: '/moved' }),
  'Mutation.deleteFolder': folderWrite('deleteFolder', 'deletedFolderId', { recursive: true }),
  'Mutation.startUpload': {
    scope: 'files:write',
    document: mutation('startUpload', 'uploadSession { id }'),
    variables: input(({ space }) => ({ spaceId: space.id, name: 'b', mimeType: 'text/plain', sizeBytes: 1, checksum })),
    absent: input(() => ({ spaceId: noSpace, name: 'b', mimeType: 'text/plain', sizeBytes: 1, checksum })),
    outcomes: 'U N F F F ok ok ok F N',
  },
  'Mutation.completeUpload': {
    scope: 'files:write',
    document: mutation('completeUpload', 'file { id }'),
    variables: input(({ upload }) => ({ id: upload.id })),
    absent: input(() => ({ id: noUpload })),
    // No part of it has arrived.
    outcomes: 'U N N N N N C C F N',
  },
  'Mutation.abortUpload': {
    scope: 'files:write',
    document: mutation('abortUpload', 'uploadSession { id }'),
    variables: input(({ upload }) => ({ id: upload.id })),
    absent: input(() => ({ id: noUpload })),
    outcomes: 'U N N N N N ok ok F N',
  },
  'Mutation.updateFile': fileWrite('updateFile', 'file { id }', { name: 'b.txt' }),
  'Mutation.moveFile': fileWrite('moveFile', 'file { id }', { toFolderPath: '/' }),
  'Mutation.deleteFile': fileWrite('deleteFile', 'deletedFileId', {}),
  'Mutation.restoreFileVersion': fileWrite('restoreFileVersion', 'file { id }', { number: 1 }),
  'Mutation.grantAccess': {
    scope: 'files:write',
    document: mutation('grantAccess', 'accessGrant { id }'),
    variables: input(({ file }) => ({ fileId: file.id })),
    absent: input(() => ({ fileId: noFile })),
    // The file is the owner's.
    outcomes: 'U N F F F F ok ok F N',
  },
  'Mutation.revokeAccess': {
    scope: 'files:write',
    document: mutation('revokeAccess', 'revokedAccessGrantId'),
    variables: input(({ grant }) => ({ id: grant.id })),
    absent: input(() => ({ id: 'grant_00000000000000000000000000' })),
    outcomes: 'U N N N N N ok ok F N',
  },
  'Subscription.fileChanged': {
    scope: 'files:read',
    document: 'subscription ($id: ID!) { fileChanged(spaceId: $id) { type } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Mutation.createNote': knowledgeWrite(
    'createNote',
    'note { id }',
    ({ space }) => ({ spaceId: space.id, title: 'New' }),
    () => ({ spaceId: noSpace }),
  ),
  'Mutation.updateNote': knowledgeWrite(
    'updateNote',
    'note { id }',
    ({ note }) => ({ id: note.id, version: 1, title: 'New' }),
    () => ({ id: noNote }),
  ),
  'Mutation.deleteNote': knowledgeWrite(
    'deleteNote',
    'deletedNoteId',
    ({ note }) => ({ id: note.id, version: 1 }),
    () => ({ id: noNote }),
  ),
  'Mutation.createLink': knowledgeWrite(
    'createLink',
    'link { id }',
    ({ note, node }) => ({ sourceId: node.id, targetId: note.id }),
    () => ({ targetId: noNote }),
  ),
  'Mutation.deleteLink': knowledgeWrite(
    'deleteLink',
    'deletedLinkId',
    ({ link }) => ({ id: link.id }),
    () => ({ id: 'link_00000000000000000000000000' }),
  ),
  'Mutation.createPost': {
    scope: 'posts:write',
    document: mutation('createPost', 'post { id }'),
    variables: input(({ space }) => ({ spaceId: space.id, title: 'New' })),
    absent: input(() => ({ spaceId: noSpace, title: 'New' })),
    outcomes: 'U N F F F ok ok ok F N',
  },
  'Mutation.updatePost': postWrite('updatePost', 'post { id }', { title: 'New' }),
  'Mutation.publishPost': postWrite('publishPost', 'post { id }', {}, 'draft'),
  'Mutation.unpublishPost': postWrite('unpublishPost', 'post { id }', {}),
  'Mutation.deletePost': postWrite('deletePost', 'deletedPostId', {}),
  'Mutation.createComment': {
    scope: 'comments:write',
    document: mutation('createComment', 'comment { id }'),
    variables: input(({ post }) => ({ subjectId: post.id, content: 'New' })),
    absent: input(() => ({ subjectId: noPost, content: 'New' })),
    outcomes: 'U N F F ok ok ok ok F N',
  },
  'Mutation.updateComment': {
    scope: 'comments:write',
    document: mutation('updateComment', 'comment { id }'),
    variables: input(({ comment }) => ({ id: comment.id, version: 1, content: 'New' })),
    absent: input(() => ({ id: noComment, version: 1, content: 'New' })),
    outcomes: 'U N F F ok F F F F N',
  },
  'Mutation.deleteComment': {
    scope: 'comments:write',
    document: mutation('deleteComment', 'deletedCommentId'),
    variables: input(({ comment }) => ({ id: comment.id, version: 1 })),
    absent: input(() => ({ id: noComment, version: 1 })),
    outcomes: 'U N F F ok F ok ok F N',
  },
  'Mutation.createChat': {
    scope: 'chats:write',
    document: mutation('createChat', 'eventCursor'),
    variables: input(({ space }) => ({ spaceId: space.id, title: 'New' })),
    absent: input(() => ({ spaceId: noSpace, title: 'New' })),
    outcomes: 'U N F F ok ok ok ok F N',
  },
  'Mutation.updateChat': {
    scope: 'chats:write',
    document: mutation('updateChat', 'eventCursor'),
    variables: input(({ chat }) => ({ id: chat.id, version: 1, title: 'New' })),
    absent: input(() => ({ id: noChat, version: 1, title: 'New' })),
    outcomes: 'U N F F F ok ok ok F N',
  },
  'Mutation.archiveChat': {
    scope: 'chats:write',
    document: mutation('archiveChat', 'eventCursor'),
    variables: input(({ chat }) => ({ id: chat.id, version: 1 })),
    absent: input(() => ({ id: noChat, version: 1 })),
    outcomes: 'U N F F F ok ok ok F N',
  },
  'Mutation.sendMessage': {
    scope: 'chats:write',
    document: mutation('sendMessage', 'eventCursor'),
    variables: input(({ chat }) => ({ chatId: chat.id, parts: [{ text: { text: 'Hello' } }] })),
    absent: input(() => ({ chatId: noChat, parts: [{ text: { text: 'Hello' } }] })),
    outcomes: 'U N F F ok ok ok ok F N',
  },
  // The editor began it.
  'Mutation.appendToStream': {
    scope: 'chats:write',
    document: mutation('appendToStream', 'eventCursor'),
    variables: input(({ stream }) => ({ streamId: stream.id, deltas: [{ text: 'Hello' }] })),
    absent: input(() => ({ streamId: noStream, deltas: [{ text: 'Hello' }] })),
    outcomes: 'U N F F F ok F F F N',
  },
  'Mutation.finishStream': {
    scope: 'chats:write',
    document: mutation('finishStream', 'eventCursor'),
    variables: input(({ stream }) => ({ streamId: stream.id })),
    absent: input(() => ({ streamId: noStream })),
    outcomes: 'U N F F F ok F F F N',
  },
  'Mutation.cancelMessage': {
    scope: 'chats:write',
    document: mutation('cancelMessage', 'eventCursor'),
    variables: input(({ message }) => ({ id: message.id })),
    absent: input(() => ({ id: 'msg_00000000000000000000000000' })),
    outcomes: 'U N F F ok ok ok ok F N',
  },
  'Subscription.chatStream': {
    scope: 'chats:read',
    document: 'subscription ($id: ID!) { chatStream(chatId: $id) { seq } }',
    variables: ({ chat }) => ({ id: chat.id }),
    absent: () => ({ id: noChat }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Subscription.events': {
    scope: 'events:read',
    document: 'subscription ($id: ID!) { events(spaceId: $id) { __typename } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Subscription.treeChanged': {
    scope: 'tree:read',
    document: 'subscription ($id: ID!) { treeChanged(spaceId: $id) { type } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Subscription.linksChanged': {
    scope: 'knowledge:read',
    document: 'subscription ($id: ID!) { linksChanged(id: $id) { type } }',
    variables: ({ note }) => ({ id: note.id }),
    absent: () => ({ id: noNote }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Query.task': {
    scope: 'tasks:read',
    document: 'query ($id: ID!) { task(id: $id) { id } }',
    variables: ({ task }) => ({ id: task.id }),
    absent: () => ({ id: noTask }),
    outcomes: 'U null ok ok ok ok ok ok ok null',
  },
  'Mutation.createTask': {
    scope: 'tasks:write',
    document: mutation('createTask', 'task { id }'),
    variables: input(({ space }) => ({ spaceId: space.id, title: 'New' })),
    absent: input(() => ({ spaceId: noSpace, title: 'New' })),
    outcomes: 'U N F F F ok ok ok F N',
  },
  'Mutation.updateTask': taskWrite('updateTask', { version: 1, title: 'New' }),
  'Mutation.cancelTask': taskWrite('cancelTask', {}, { outcomes: 'U N F F F F ok ok F N' }),
  // Nobody retries a task that has not failed.
  'Mutation.retryTask': taskWrite('retryTask', {}, { outcomes: 'U N F F F F C C F N' }),
  'Mutation.claimTask': {
    scope: 'tasks:run',
    document: mutation('claimTask', 'leaseToken'),
    variables: input(({ space }) => ({ spaceId: space.id, types: ['acme.render'] })),
    absent: input(() => ({ spaceId: noSpace, types: ['acme.render'] })),
    outcomes: 'U N F F F ok ok ok F N',
  },
  'Mutation.reportTaskProgress': taskWrite('reportTaskProgress', { progress: 5 }, { of: 'begun' }),
  'Mutation.completeTask': taskWrite('completeTask', {}, { of: 'begun' }),
  'Mutation.failTask': taskWrite('failTask', { code: 'RAIN', message: 'It rained.' }, { of: 'begun' }),
  'Subscription.taskChanged': {
    scope: 'tasks:read',
    document: 'subscription ($id: ID!) { taskChanged(spaceId: $id) { type } }',
    variables: ({ space }) => ({ id: space.id }),
    absent: () => ({ id: noSpace }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Subscription.taskProgress': {
    scope: 'tasks:read',
    document: 'subscription ($id: ID!) { taskProgress(taskId: $id) { seq } }',
    variables: ({ task }) => ({ id: task.id }),
    absent: () => ({ id: noTask }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
  'Subscription.commentsChanged': {
    scope: 'comments:read',
    document: 'subscription ($id: ID!) { commentsChanged(subjectId: $id) { type } }',
    variables: ({ post }) => ({ id: post.id }),
    absent: () => ({ id: noPost }),
    outcomes: 'U N ok ok ok ok ok ok F N',
  },
};

/** Every type that `node(id:)` answers: whose id, behind which scope, for whom. */
export const nodeRows: Readonly<
  Record<string, { readonly scope: ScopeName; readonly id: (stage: Stage) => string; readonly outcomes: string }>
> = {
  User: { scope: 'tree:read', id: ({ idOf }) => idOf('member'), outcomes: 'null null ok ok ok ok ok ok ok null' },
  ApiKey: {
    scope: 'account:read',
    id: ({ apiKey }) => apiKey.id,
    outcomes: 'null null null null null null null ok F ok',
  },
  Organization: {
    scope: 'organizations:read',
    id: ({ organization }) => organization.id,
    outcomes: 'null null ok ok ok ok ok ok F ok',
  },
  Invitation: {
    scope: 'organizations:read',
    id: ({ invitation }) => invitation.id,
    outcomes: 'null null null null null null ok ok F null',
  },
  Space: { scope: 'spaces:read', id: ({ space }) => space.id, outcomes: 'null null ok ok ok ok ok ok F null' },
  TreeNode: { scope: 'tree:read', id: ({ node }) => node.id, outcomes: 'null null ok ok ok ok ok ok F null' },
  Folder: { scope: 'files:read', id: ({ folder }) => folder.id, outcomes: 'null null ok ok ok ok ok ok F null' },
  File: { scope: 'files:read', id: ({ file }) => file.id, outcomes: 'null null ok ok ok ok ok ok F null' },
  FileVersion: {
    scope: 'files:read',
    id: ({ file }) => file.currentVersionId,
    outcomes: 'null null ok ok ok ok ok ok F null',
  },
  UploadSession: {
    scope: 'files:read',
    id: ({ upload }) => upload.id,
    outcomes: 'null null null null null null ok ok F null',
  },
  AccessGrant: {
    scope: 'files:read',
    id: ({ grant }) => grant.id,
    outcomes: 'null null null null null null ok ok F null',
  },
  Note: { scope: 'knowledge:read', id: ({ note }) => note.id, outcomes: 'null null ok ok ok ok ok ok F null' },
  Link: { scope: 'knowledge:read', id: ({ link }) => link.id, outcomes: 'null null ok ok ok ok ok ok F null' },
  Post: { scope: 'posts:read', id: ({ draft }) => draft.id, outcomes: 'null null null null null ok ok ok F null' },
  Comment: { scope: 'comments:read', id: ({ comment }) => comment.id, outcomes: 'null null ok ok ok ok ok ok F null' },
  Task: { scope: 'tasks:read', id: ({ task }) => task.id, outcomes: 'null null ok ok ok ok ok ok ok null' },
  Chat: { scope: 'chats:read', id: ({ chat }) => chat.id, outcomes: 'null null ok ok ok ok ok ok F null' },
  Message: { scope: 'chats:read', id: ({ message }) => message.id, outcomes: 'null null ok ok ok ok ok ok F null' },
  ChatStream: { scope: 'chats:read', id: ({ stream }) => stream.id, outcomes: 'null null ok ok ok ok ok ok F null' },
};
