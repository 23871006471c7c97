import type { AuditOperation, OrganizationRole, SpaceRole } from '../generated/graphql.js';

/** What an API key can be given. */
export const scopes = [
  'account:read',
  'account:write',
  'organizations:read',
  'organizations:write',
  'spaces:read',
  'spaces:write',
  'tree:read',
  'tree:write',
  'files:read',
  'files:write',
  'knowledge:read',
  'knowledge:write',
  'posts:read',
  'posts:write',
  'comments:read',
  'comments:write',
  'tasks:read',
  'tasks:write',
  'tasks:run',
  'chats:read',
  'chats:write',
  'search:read',
  'events:read',
  'audit:read',
] as const;
export type ScopeName = (typeof scopes)[number];

/** What it takes to do something: the least role where it happens, and the scope of an API key. */
export type Action = SpaceAction | OrganizationAction | SelfAction;

interface Asked {
  readonly scope: ScopeName;
  readonly audit: AuditOperation;
}

interface SpaceAction extends Asked {
  readonly in: 'space';
  readonly least: SpaceRole;
  /** Readers of a public space may do it too. */
  readonly public?: true;
  /** It happens to a deleted space. */
  readonly deleted?: true;
}

interface OrganizationAction extends Asked {
  readonly in: 'organization';
  readonly least: OrganizationRole;
}

interface SelfAction extends Asked {
  readonly in: 'self';
  /** Only for a person who has signed in, whatever the scopes of a key say. */
  readonly person?: true;
}

const space = (
  least: SpaceRole,
  scope: ScopeName,
  audit: AuditOperation,
  more: Pick<SpaceAction, 'public' | 'deleted'> = {},
): SpaceAction => ({ in: 'space', least, scope, audit, ...more });
const organization = (least: OrganizationRole, scope: ScopeName, audit: AuditOperation): OrganizationAction => ({
  in: 'organization',
  least,
  scope,
  audit,
});
const self = (scope: ScopeName, audit: AuditOperation, more: Partial<SelfAction> = {}): SelfAction => ({
  in: 'self',
  scope,
  audit,
  ...more,
});

/** Everything that can be done, and what it takes. `write` and `follow` know no other. */
export const actions = {
  'account.signIn': self('account:read', 'AUTH'),
  'account.write': self('account:write', 'AUTH'),
  'account.delete': self('account:write', 'ADMIN', { person: true }),
  'clientSession.open': self('events:read', 'AUTH'),
  'organization.create': self('organizations:write', 'ADMIN'),
  'organization.read': organization('MEMBER', 'organizations:read', 'READ'),
  'organization.update': organization('OWNER', 'organizations:write', 'ADMIN'),
  'organization.delete': organization('OWNER', 'organizations:write', 'DELETE'),
  'organization.members': organization('ADMIN', 'organizations:write', 'ADMIN'),
  'organization.leave': organization('MEMBER', 'organizations:write', 'ADMIN'),
  'organization.invite': organization('ADMIN', 'organizations:write', 'ADMIN'),
  'organization.keys': organization('ADMIN', 'account:write', 'AUTH'),
  'organization.createSpace': organization('MEMBER', 'spaces:write', 'WRITE'),
  'invitation.accept': self('organizations:write', 'ADMIN'),
  'space.create': self('spaces:write', 'WRITE'),
  'space.read': space('VIEWER', 'spaces:read', 'READ', { public: true }),
  'space.update': space('ADMIN', 'spaces:write', 'ADMIN'),
  'space.members': space('ADMIN', 'spaces:write', 'ADMIN'),
  'space.leave': space('VIEWER', 'spaces:write', 'ADMIN'),
  'space.delete': space('OWNER', 'spaces:write', 'DELETE'),
  'space.restore': space('OWNER', 'spaces:write', 'ADMIN', { deleted: true }),
  'space.jobs': space('ADMIN', 'spaces:write', 'ADMIN'),
  'tree.read': space('VIEWER', 'tree:read', 'READ', { public: true }),
  'tree.write': space('EDITOR', 'tree:write', 'WRITE'),
  'file.read': space('VIEWER', 'files:read', 'READ'),
  'file.write': space('EDITOR', 'files:write', 'WRITE'),
  'file.share': space('EDITOR', 'files:write', 'ADMIN'),
  'note.read': space('VIEWER', 'knowledge:read', 'READ', { public: true }),
  'note.write': space('EDITOR', 'knowledge:write', 'WRITE'),
  'link.read': space('VIEWER', 'knowledge:read', 'READ', { public: true }),
  'link.write': space('EDITOR', 'knowledge:write', 'WRITE'),
  'post.write': space('EDITOR', 'posts:write', 'WRITE'),
  'comment.read': space('VIEWER', 'comments:read', 'READ', { public: true }),
  'comment.write': space('COMMENTER', 'comments:write', 'WRITE'),
  'comment.moderate': space('ADMIN', 'comments:write', 'DELETE'),
  'task.read': space('VIEWER', 'tasks:read', 'READ'),
  'task.write': space('EDITOR', 'tasks:write', 'WRITE'),
  'task.run': space('EDITOR', 'tasks:run', 'WRITE'),
  'task.manage': space('ADMIN', 'tasks:write', 'WRITE'),
  'chat.read': space('VIEWER', 'chats:read', 'READ'),
  'chat.write': space('COMMENTER', 'chats:write', 'WRITE'),
  'chat.manage': space('EDITOR', 'chats:write', 'WRITE'),
  'events.read': space('VIEWER', 'events:read', 'READ'),
  'search.read': space('VIEWER', 'search:read', 'READ', { public: true }),
  'audit.read': space('ADMIN', 'audit:read', 'READ'),
} as const satisfies Record<`${string}.${string}`, Action>;

export type ActionName = keyof typeof actions;

interface Scopes {
  readonly space: { readonly space: string };
  readonly organization: { readonly organization: string };
  readonly self: { readonly self: true };
}

/** Where something happens. */
export type Scope = Scopes[keyof Scopes];
/** Where an action happens. */
export type ScopeOf<Name extends ActionName> = Scopes[(typeof actions)[Name]['in']];
/** The actions that happen in a space. */
export type SpaceActionName = {
  [Name in ActionName]: (typeof actions)[Name]['in'] extends 'space' ? Name : never;
}[ActionName];
