import type { OrganizationRole, SpaceRole } from '../generated/graphql.js';
import type { Prisma } from '../generated/prisma/client.js';
import type { Roles } from './roles.js';

/** Who may see a row, as data: from it come the SQL of the loaders and the filter of `ctx.db`. */
export type Rule =
  /** Nobody; `column` is any column of the model. */
  | { readonly by: 'nobody'; readonly column: string }
  /** The viewer has a role of at least `least` in the space of `column`; with `public`, or that space is public. */
  | { readonly by: 'space'; readonly column: string; readonly least: SpaceRole; readonly public?: string | true }
  | { readonly by: 'organization'; readonly column: string; readonly least: OrganizationRole }
  /** The row is the viewer's own. */
  | { readonly by: 'user'; readonly column: string }
  /** Some row of `model` whose `key` is this row's `id` passes `rule`; `relation` is its name in Prisma. */
  | {
      readonly by: 'related';
      readonly model: string;
      readonly key: string;
      readonly relation: string;
      readonly rule: Rule;
    }
  /** The row of `model` that `column` names passes `rule`; `relation` is its name in Prisma. */
  | {
      readonly by: 'parent';
      readonly column: string;
      readonly model: string;
      readonly relation: string;
      readonly rule: Rule;
    }
  /** The row that `column` names passes the rule of its model, whichever of `models` it is of. No relation of Prisma: `ctx.db` reads none of these rows. */
  | { readonly by: 'oneOf'; readonly column: string; readonly models: Readonly<Record<string, Rule>> }
  /** The column holds this value. */
  | { readonly by: 'is'; readonly column: string; readonly value: string | boolean | null }
  | { readonly by: 'any'; readonly of: readonly Rule[] }
  | { readonly by: 'all'; readonly of: readonly Rule[] }
  /** The column's time has not come, or there is none. */
  | { readonly by: 'until'; readonly column: string }
  /** Anyone, also without a credential, but not a key that is restricted to spaces; `column` is any column of the model. */
  | { readonly by: 'anyone'; readonly column: string };

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

/** What can be commented on: to see it is to see its comments. */
const commentables = { Post: post, TreeNode: allOf(content, is('deletedAt', null)) };
export type Commentable = keyof typeof commentables;

/** What links join: the rule of each type, and the column that is set where a row is gone. */
export const linkable = {
  Note: { rule: content },
  TreeNode: { rule: content, gone: 'deletedAt' },
  Post: { rule: post },
} as const satisfies { readonly [Model in Prisma.ModelName]?: End };

/** What one type of end is seen by. */
export interface End {
  readonly rule: Rule;
  readonly gone?: string;
}

export type LinkableType = keyof typeof linkable;

export const isLinkable = (type: string | null): type is LinkableType => type !== null && Object.hasOwn(linkable, type);

/** Whether whoever reads a space reads everything of this type in it. */
export const isSpaceWide = (type: LinkableType) => linkable[type].rule === content;

const ends: Readonly<Record<string, Rule>> = Object.fromEntries(
  Object.entries(linkable).map(([model, { rule, gone }]: [string, End]) => [
    model,
    gone === undefined ? rule : allOf(rule, is(gone, null)),
  ]),
);
const end = (column: string): Rule => ({ by: 'oneOf', column, models: ends });

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

/** The highest of the role in the space, what is granted, and what its own visibility gives. */
const file = anyOf(
  ownFile,
  allOf(
    anyOf(is('visibility', 'SPACE'), is('visibility', 'ORGANIZATION'), is('visibility', 'PUBLIC')),
    member('spaceId'),
  ),
  allOf(anyOf(is('visibility', 'ORGANIZATION'), is('visibility', 'PUBLIC')), inSpace(organization('organizationId'))),
  allOf(is('visibility', 'PUBLIC'), inSpace(anyone)),
  allOf(granted, atLarge),
);
const ofFile = (rule: Rule): Rule => ({
  by: 'parent',
  column: 'fileId',
  model: 'File',
  relation: 'file',
  rule: allOf(is('deletedAt', null), rule),
});

/** Work is the members' own, also in a public space. */
const task = member('spaceId');

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
  UploadSession: anyOf(allOf(user('createdById'), atLarge), member('spaceId', 'ADMIN')),
  // Whom a file is shared with is their business, and that of those who can share it.
  AccessGrant: anyOf(
    ofFile(ownFile),
    allOf(member('spaceId', 'ADMIN'), ofFile(file)),
    allOf(user('userId'), { by: 'until', column: 'expiresAt' }, ofFile(file)),
  ),
  Note: content,
  Keyword: content,
  // Who may not see one end may not know that the other is linked.
  Link: allOf(content, end('sourceId'), end('targetId')),
  Post: post,
  PostView: nobody('postId'),
  Comment: { by: 'oneOf', column: 'subjectId', models: commentables },
  Task: task,
  TaskEvent: { by: 'parent', column: 'taskId', model: 'Task', relation: 'task', rule: task },
  AuditEvent: member('spaceId', 'ADMIN'),
  Event: nobody('seq'),
  EventHorizon: nobody('id'),
  IdempotencyRecord: nobody('key'),
  IssuerUser: nobody('id'),
  IssuerSession: nobody('id'),
  IssuerSpentToken: nobody('token'),
  IssuerAccount: nobody('id'),
  IssuerVerification: nobody('id'),
  IssuerJwks: nobody('id'),
  IssuerAttempt: nobody('key'),
  JobSchedule: nobody('name'),
};

/** What the SQL of a rule asks of the viewer; each is one parameter of the statement. */
export type ViewerParam = 'me' | 'public' | `space ${SpaceRole}` | `organization ${OrganizationRole}`;

/** The rule as SQL over the table called `alias`. `bind` gives the placeholder of a parameter. */
export function ruleSql(rule: Rule, alias: string, bind: (param: ViewerParam) => string): string {
  const column = (name: string) => `${alias}."${name}"`;
  switch (rule.by) {
    case 'nobody':
      return 'false';
    case 'user':
      return `${column(rule.column)} = ${bind('me')}::text`;
    case 'organization':
      return `${column(rule.column)} = any(${bind(`organization ${rule.least}`)}::text[])`;
    case 'space': {
      const mine = `${column(rule.column)} = any(${bind(`space ${rule.least}`)}::text[])`;
      if (!rule.public) return mine;
      const open = `(${bind('public')}::boolean and exists (select from "Space" p where p.id = ${column(rule.column)} and p.visibility = 'PUBLIC' and p."deletedAt" is null))`;
      return `(${mine} or ${open})`;
    }
    case 'related': {
      const inner = `${alias}_${rule.relation}`;
      return `exists (select from "${rule.model}" ${inner} where ${inner}."${rule.key}" = ${alias}.id and ${ruleSql(rule.rule, inner, bind)})`;
    }
    case 'parent': {
      const inner = `${alias}_${rule.relation}`;
      return `exists (select from "${rule.model}" ${inner} where ${inner}.id = ${column(rule.column)} and ${ruleSql(rule.rule, inner, bind)})`;
    }
    case 'oneOf': {
      const found = Object.entries(rule.models).map(([model, of]) => {
        const inner = `${alias}_${model}`;
        // Not `exists`, which the planner may answer from a hash of the whole table.
        return `(select ${ruleSql(of, inner, bind)} from "${model}" ${inner} where ${inner}.id = ${column(rule.column)})`;
      });
      return `(${found.join(' or ')})`;
    }
    case 'is':
      if (typeof rule.value !== 'string') return `${column(rule.column)} is ${rule.value}`;
      return `${column(rule.column)} = '${rule.value.replaceAll("'", "''")}'`;
    case 'any':
      return `(${rule.of.map((one) => ruleSql(one, alias, bind)).join(' or ')})`;
    case 'all':
      return `(${rule.of.map((one) => ruleSql(one, alias, bind)).join(' and ')})`;
    case 'until':
      return `(${column(rule.column)} is null or ${column(rule.column)} > now())`;
    case 'anyone':
      return `${bind('public')}::boolean`;
  }
}

/** The value of a parameter for a viewer; with `within`, as seen by someone who asks about that space only. */
export function viewerValue(param: ViewerParam, roles: Roles, within?: string): unknown {
  if (param === 'me') return roles.userId;
  if (param === 'public') return roles.readsPublic;
  const [kind, least] = param.split(' ') as [string, string];
  if (kind === 'organization') return roles.organizationsWith(least as OrganizationRole);
  const spaces = roles.spacesWith(least as SpaceRole);
  return within === undefined ? spaces : spaces.includes(within) ? [within] : [];
}

/** The rule as a Prisma `where`. `{ in: [] }` is how nothing is written: an empty OR would match everything. */
export function ruleWhere(rule: Rule, roles: Roles): object {
  switch (rule.by) {
    case 'nobody':
    case 'oneOf':
      return { [rule.column]: { in: [] } };
    case 'user':
      return { [rule.column]: { in: roles.userId ? [roles.userId] : [] } };
    case 'organization':
      return { [rule.column]: { in: roles.organizationsWith(rule.least) } };
    case 'space': {
      const mine = { [rule.column]: { in: roles.spacesWith(rule.least) } };
      if (!rule.public || !roles.readsPublic) return mine;
      const open = { visibility: 'PUBLIC', deletedAt: null };
      return { OR: [mine, rule.public === true ? open : { [rule.public]: open }] };
    }
    case 'related':
      return { [rule.relation]: { some: ruleWhere(rule.rule, roles) } };
    case 'parent':
      return { [rule.relation]: { is: ruleWhere(rule.rule, roles) } };
    case 'is':
      return { [rule.column]: rule.value };
    case 'any':
      return { OR: rule.of.map((one) => ruleWhere(one, roles)) };
    case 'all':
      return { AND: rule.of.map((one) => ruleWhere(one, roles)) };
    case 'until':
      return { OR: [{ [rule.column]: null }, { [rule.column]: { gt: new Date() } }] };
    case 'anyone':
      return roles.readsPublic ? {} : { [rule.column]: { in: [] } };
  }
}
