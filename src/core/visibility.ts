import type { OrganizationRole, SpaceRole } from '../generated/graphql.js';
import type { Prisma } from '../generated/prisma/client.js';
import type { Rule } from './rule.js';

const nobody = (column: string): Rule => ({ by: 'nobody', column });
const anyOf = (...of: Rule[]): Rule => ({ by: 'any', of });
const allOf = (...of: Rule[]): Rule => ({ by: 'all', of });
const is = (column: string, value: string | boolean | null): Rule => ({ by: 'is', column, value });
const user = (column: string): Rule => ({ by: 'user', column });
const member = (column: string, least: SpaceRole = 'VIEWER'): Rule => ({ by: 'space', column, least });
const organization = (column: string, least: OrganizationRole = 'MEMBER'): Rule => ({
  by: 'organization',
  column,
  least,
});
const related = (model: string, key: string, relation: string, rule: Rule): Rule => ({
  by: 'related',
  model,
  key,
  relation,
  rule,
});

/** Content of a space: seen with a role in it, or by all when it is public. `space` is Prisma's name of the relation. */
const content: Rule = { by: 'space', column: 'spaceId', least: 'VIEWER', public: 'space' };
const aSpace: Rule = { by: 'space', column: 'id', least: 'VIEWER', public: true };

/** Drafts are for those who write, and for their author as long as they have a role in the space. */
const post = anyOf(
  member('spaceId', 'EDITOR'),
  allOf(content, is('isPublished', true)),
  allOf(member('spaceId'), user('authorId')),
);

/** Whoever shares a space or an organization with someone, or sees a public space of theirs. */
const person = anyOf(
  user('id'),
  related('SpaceMember', 'userId', 'memberships', member('spaceId')),
  related('OrganizationMember', 'userId', 'organizations', organization('organizationId')),
  related('Space', 'ownerUserId', 'ownedSpaces', aSpace),
);

const inSpace = (rule: Rule): Rule => ({
  by: 'parent',
  column: 'spaceId',
  model: 'Space',
  relation: 'space',
  rule: allOf(is('deletedAt', null), rule),
});
const anyone: Rule = { by: 'anyone', column: 'id' };
/** Where a key that is restricted to spaces may look. */
const atLarge = anyOf(member('spaceId'), inSpace(anyone));
/** What its owner may do as long as they are a member, and an OWNER of the space. */
const ownFile = anyOf(allOf(user('ownerId'), member('spaceId')), member('spaceId', 'OWNER'));
const granted = related('AccessGrant', 'fileId', 'grants', allOf(user('userId'), { by: 'until', column: 'expiresAt' }));

const isShown = anyOf(is('visibility', 'SPACE'), is('visibility', 'ORGANIZATION'), is('visibility', 'PUBLIC'));

/** The highest of the role in the space, what is granted, and what its own visibility gives. */
const file = anyOf(
  ownFile,
  allOf(isShown, member('spaceId')),
  allOf(anyOf(is('visibility', 'ORGANIZATION'), is('visibility', 'PUBLIC')), inSpace(organization('organizationId'))),
  allOf(is('visibility', 'PUBLIC'), inSpace(anyone)),
  allOf(granted, atLarge),
);
/** Who says who sees a file. Whom it is shared with is their business, and that of the one it is shared with. */
export const sharing = anyOf(ownFile, allOf(member('spaceId', 'ADMIN'), file));
const ofFile = (rule: Rule): Rule => ({
  by: 'parent',
  column: 'fileId',
  model: 'File',
  relation: 'file',
  rule: allOf(is('deletedAt', null), rule),
});

/** Work is the members' own, also in a public space. */
const task = member('spaceId');

/** What comments and links hang on: the rule of each type, and the column that is set where a row is gone. */
export interface Content {
  readonly rule: Rule;
  readonly gone?: string;
}

export const linkable = {
  Note: { rule: content },
  TreeNode: { rule: content, gone: 'deletedAt' },
  File: { rule: file, gone: 'deletedAt' },
  Post: { rule: post },
} as const satisfies { readonly [Model in Prisma.ModelName]?: Content };
export type LinkableType = keyof typeof linkable;

export const commentable = { ...linkable, Task: { rule: task } } as const satisfies {
  readonly [Model in Prisma.ModelName]?: Content;
};
export type CommentableType = keyof typeof commentable;

export const isLinkable = (type: string | null): type is LinkableType => type !== null && Object.hasOwn(linkable, type);

export const isCommentable = (type: string | null): type is CommentableType =>
  type !== null && Object.hasOwn(commentable, type);

/** Whether whoever reads a space reads everything of this type in it. */
export const isSpaceWide = (type: LinkableType) => linkable[type].rule === content;

/** Whoever sees what the column names, and it is there. */
const through = (column: string, contents: Readonly<Record<string, Content>>): Rule => ({
  by: 'oneOf',
  column,
  models: Object.fromEntries(
    Object.entries(contents).map(([model, { rule, gone }]) => [model, gone ? allOf(rule, is(gone, null)) : rule]),
  ),
});

/** Which rows of each model a viewer may read. A model that is missing here does not compile. */
export const visibility: { readonly [Model in Prisma.ModelName]: Rule } = {
  User: person,
  // What of it is the person's own business is the resolver's to say.
  Profile: { by: 'parent', column: 'userId', model: 'User', relation: 'user', rule: person },
  Identity: user('userId'),
  ApiKey: anyOf(user('userId'), organization('organizationId', 'ADMIN')),
  Organization: anyOf(organization('id'), related('Space', 'organizationId', 'spaces', aSpace)),
  OrganizationMember: organization('organizationId'),
  Invitation: anyOf(organization('organizationId', 'ADMIN'), member('spaceId', 'ADMIN')),
  Space: aSpace,
  SpaceMember: member('spaceId'),
  TreeNode: content,
  TreeNodeVersion: content,
  Folder: content,
  File: file,
  FileVersion: ofFile(file),
  // Of what is to become PRIVATE, an ADMIN knows no more than of what is.
  UploadSession: anyOf(
    allOf(
      user('createdById'),
      anyOf(member('spaceId'), through('fileId', { File: { rule: allOf(granted, atLarge), gone: 'deletedAt' } })),
    ),
    allOf(member('spaceId', 'ADMIN'), isShown),
    member('spaceId', 'OWNER'),
  ),
  AccessGrant: anyOf(ofFile(sharing), allOf(user('userId'), { by: 'until', column: 'expiresAt' }, ofFile(file))),
  Note: content,
  Keyword: content,
  // Who may not see one end may not know that the other is linked.
  Link: allOf(content, through('sourceId', linkable), through('targetId', linkable)),
  Post: post,
  PostView: nobody('postId'),
  Comment: through('subjectId', commentable),
  Task: task,
  TaskEvent: { by: 'parent', column: 'taskId', model: 'Task', relation: 'task', rule: task },
  TaskObject: nobody('taskId'),
  // Talk is for members, also where the space is public.
  Chat: member('spaceId'),
  Message: member('spaceId'),
  ChatStream: member('spaceId'),
  ChatStreamChunk: {
    by: 'parent',
    column: 'streamId',
    model: 'ChatStream',
    relation: 'stream',
    rule: member('spaceId'),
  },
  SearchText: nobody('resourceId'),
  SearchWord: nobody('word'),
  Embedding: nobody('resourceId'),
  Vector: nobody('resourceId'),
  VectorNamespace: nobody('namespace'),
  AuditEvent: member('spaceId', 'ADMIN'),
  Event: nobody('seq'),
  EventHorizon: nobody('id'),
  Departed: nobody('id'),
  ClientSession: user('userId'),
  ClientConnection: {
    by: 'parent',
    column: 'sessionId',
    model: 'ClientSession',
    relation: 'session',
    rule: user('userId'),
  },
  ServerInstance: nobody('id'),
  IdempotencyRecord: nobody('key'),
  IssuerUser: nobody('id'),
  IssuerSession: nobody('id'),
  IssuerSpentToken: nobody('token'),
  IssuerAccount: nobody('id'),
  IssuerVerification: nobody('id'),
  IssuerJwks: nobody('id'),
  IssuerAttempt: nobody('key'),
  JobSchedule: nobody('name'),
  LogReader: nobody('name'),
  MessageChunk: nobody('messageId'),
};

/** Whether whoever reads a space sees every row of this type in it. People are of no space. */
export const isWide = (type: Prisma.ModelName) => {
  const rule: Rule = visibility[type];
  return type === 'User' || (rule.by === 'space' && rule.least === 'VIEWER');
};

/** Whether rows of this type are seen by whoever sees what they hang on. */
export const hangsOn = (type: Prisma.ModelName) => type === 'Comment' || type === 'Link';
