import { createHash } from 'node:crypto';
import { scopes } from '../../src/core/actions.js';
import type { Viewer } from '../../src/core/context.js';
import { newId } from '../../src/core/ids.js';
import { viewerOf, type World } from '../support/world.js';

/** Everybody that the matrix asks for, in the order of its columns. */
export const actors = [
  'nobody',
  'stranger',
  'guest',
  'viewer',
  'commenter',
  'editor',
  'admin',
  'owner',
  'keyWithoutScope',
  'keyOfAnotherSpace',
] as const;
export type Actor = (typeof actors)[number];

const roles = {
  guest: 'VIEWER',
  viewer: 'VIEWER',
  commenter: 'COMMENTER',
  editor: 'EDITOR',
  admin: 'ADMIN',
  owner: 'OWNER',
} as const;

/** A space with everybody in it and one thing of each kind, made anew for each question. */
export type Stage = Awaited<ReturnType<typeof stage>>;

export async function stage({ app }: World) {
  const { prisma } = app.database;
  const names = ['stranger', ...Object.keys(roles), 'member'] as const;
  const users = names.map((name) => ({ id: newId('user'), name, handle: `${name}-${newId('user').slice(-10)}` }));
  const idOf = (name: string) => users.find((user) => user.name === name)?.id ?? '';
  const organization = { id: newId('org'), slug: `o-${newId('org').slice(-10)}`, name: 'Org' };
  const space = { id: newId('space'), organizationId: organization.id, slug: 'space', name: 'Space' };
  const otherSpace = { id: newId('space'), organizationId: organization.id, slug: 'other', name: 'Other' };
  const deletedSpace = {
    id: newId('space'),
    organizationId: organization.id,
    slug: 'deleted',
    name: 'Deleted',
    deletedAt: new Date(),
  };
  const token = newId('inv');
  const invitation = {
    id: newId('inv'),
    organizationId: organization.id,
    email: `guest-${organization.slug}@example.com`,
    organizationRole: 'MEMBER' as const,
    invitedById: idOf('owner'),
    tokenHash: createHash('sha256').update(token).digest('hex'),
    expiresAt: new Date(Date.now() + 3_600_000),
  };
  const apiKey = {
    id: newId('key'),
    name: 'Key',
    prefix: 'canopy_uk_12345',
    hash: newId('key'),
    userId: idOf('owner'),
    scopes: ['tree:read'],
  };
  const node = {
    id: newId('node'),
    spaceId: space.id,
    path: '/a',
    parentPath: '/',
    name: 'a',
    depth: 1,
    value: 1,
    contentType: 'application/json',
    checksum: 'x',
    sizeBytes: 1,
    createdById: idOf('owner'),
    updatedById: idOf('owner'),
  };
  const folder = { id: newId('folder'), spaceId: space.id, path: '/plans', parentPath: '/', name: 'plans' };
  const file = {
    id: newId('file'),
    spaceId: space.id,
    folderId: folder.id,
    ownerId: idOf('owner'),
    path: '/plans/a.txt',
    parentPath: '/plans',
    name: 'a.txt',
    mimeType: 'text/plain',
    sizeBytes: 1,
    checksum: 'x',
    currentVersionId: newId('fver'),
  };
  const upload = {
    id: newId('upload'),
    spaceId: space.id,
    fileId: newId('file'),
    versionId: newId('fver'),
    isNew: true,
    name: 'c.txt',
    mimeType: 'text/plain',
    sizeBytes: 1,
    checksum: 'x',
    visibility: 'SPACE' as const,
    multipartId: 'none',
    createdById: idOf('owner'),
    expiresAt: new Date(Date.now() + 3_600_000),
  };
  const grant = {
    id: newId('grant'),
    fileId: file.id,
    spaceId: space.id,
    principal: 'USER' as const,
    userId: idOf('member'),
    permission: 'READ' as const,
  };
  const note = { id: newId('note'), spaceId: space.id, authorId: idOf('owner'), title: 'Note', content: '' };
  const link = {
    id: newId('link'),
    spaceId: space.id,
    sourceType: 'Note',
    sourceId: note.id,
    targetType: 'TreeNode',
    targetId: node.id,
    kind: 'related',
    origin: 'MANUAL' as const,
  };
  const post = {
    id: newId('post'),
    spaceId: space.id,
    authorId: idOf('owner'),
    slug: 'post',
    title: 'Post',
    content: 'x',
    isPublished: true,
    publishedAt: new Date(),
  };
  const draft = { ...post, id: newId('post'), slug: 'draft', isPublished: false, publishedAt: null };
  const comment = {
    id: newId('comment'),
    spaceId: space.id,
    subjectId: post.id,
    authorId: idOf('commenter'),
    content: 'x',
    depth: 0,
  };
  await prisma.user.createMany({
    data: users.map((user) => ({ ...user, ...(user.name === 'guest' && { email: invitation.email }) })),
  });
  await prisma.profile.createMany({ data: users.map(({ id }) => ({ userId: id })) });
  await prisma.organization.create({ data: organization });
  await prisma.space.createMany({ data: [space, otherSpace, deletedSpace] });
  const member = { userId: idOf('member'), role: 'VIEWER' as const };
  await prisma.spaceMember.createMany({
    data: [
      { spaceId: space.id, ...member },
      ...Object.entries(roles).flatMap(([name, role]) =>
        [space, deletedSpace].map(({ id }) => ({ spaceId: id, userId: idOf(name), role })),
      ),
    ],
  });
  await prisma.organizationMember.createMany({
    data: ['viewer', 'commenter', 'editor', 'admin', 'owner', 'member'].map((name) => ({
      organizationId: organization.id,
      userId: idOf(name),
      role: name === 'owner' ? ('OWNER' as const) : name === 'admin' ? ('ADMIN' as const) : ('MEMBER' as const),
    })),
  });
  await prisma.invitation.create({ data: invitation });
  await prisma.apiKey.create({ data: apiKey });
  await prisma.treeNode.create({ data: node });
  await prisma.treeNodeVersion.create({
    data: {
      nodeId: node.id,
      version: 1,
      spaceId: space.id,
      path: '/a',
      value: 1,
      contentType: node.contentType,
      checksum: 'x',
      sizeBytes: 1,
      operation: 'WRITE',
    },
  });
  await prisma.folder.create({ data: folder });
  await prisma.file.create({ data: file });
  await prisma.fileVersion.create({
    data: {
      id: file.currentVersionId,
      fileId: file.id,
      spaceId: space.id,
      number: 1,
      mimeType: file.mimeType,
      sizeBytes: 1,
      checksum: 'x',
    },
  });
  await prisma.uploadSession.create({ data: upload });
  await prisma.space.update({ where: { id: space.id }, data: { storageUsed: 2 } });
  await prisma.accessGrant.create({ data: grant });
  await prisma.note.create({ data: note });
  await prisma.link.create({ data: link });
  const task = { id: newId('task'), spaceId: space.id, ownerId: idOf('member'), type: 'manual' };
  const begun = { ...task, id: newId('task'), status: 'RUNNING' as const };
  await prisma.task.createMany({ data: [task, begun] });
  await prisma.post.createMany({ data: [post, draft] });
  await prisma.comment.create({ data: comment });
  const chat = { id: newId('chat'), spaceId: space.id, ownerId: idOf('owner'), title: 'Chat', lastSeq: 1 };
  const message = {
    id: newId('msg'),
    spaceId: space.id,
    chatId: chat.id,
    seq: 1,
    role: 'ASSISTANT' as const,
    parts: [],
  };
  const stream = {
    id: newId('stream'),
    spaceId: space.id,
    chatId: chat.id,
    messageId: message.id,
    messageSeq: 1,
    writerId: idOf('editor'),
    leaseExpiresAt: new Date(Date.now() + 3_600_000),
  };
  await prisma.chat.create({ data: chat });
  await prisma.message.create({ data: { ...message, status: 'STREAMING' } });
  await prisma.chatStream.create({ data: stream });
  app.memory.forgetAll();

  /** The credential of an actor; a key without the scope has every other one. */
  function viewer(actor: Actor, scope: string): Viewer | null {
    if (actor === 'nobody') return null;
    if (actor === 'keyWithoutScope')
      return viewerOf(idOf('owner'), {
        apiKeyId: newId('key'),
        scopes: new Set(scopes.filter((name) => name !== scope)),
      });
    if (actor === 'keyOfAnotherSpace')
      return viewerOf(idOf('owner'), {
        apiKeyId: newId('key'),
        scopes: new Set(scopes),
        spaceIds: new Set([otherSpace.id]),
      });
    return viewerOf(idOf(actor));
  }
  return {
    idOf,
    organization,
    space,
    otherSpace,
    deletedSpace,
    invitation,
    token,
    apiKey,
    node,
    folder,
    file,
    upload,
    grant,
    note,
    link,
    post,
    draft,
    comment,
    task,
    begun,
    chat,
    message,
    stream,
    viewer,
  };
}
