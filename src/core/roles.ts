import type { OrganizationRole, SpaceRole } from '../generated/graphql.js';
import { type App, perEpoch, type Viewer } from './context.js';
import { askTogether } from './together.js';

export const spaceRoles = ['VIEWER', 'COMMENTER', 'EDITOR', 'ADMIN', 'OWNER'] as const satisfies readonly SpaceRole[];
export const organizationRoles = ['MEMBER', 'ADMIN', 'OWNER'] as const satisfies readonly OrganizationRole[];

const spaceRank = Object.fromEntries(spaceRoles.map((role, rank) => [role, rank])) as Record<SpaceRole, number>;
const organizationRank = Object.fromEntries(organizationRoles.map((role, rank) => [role, rank])) as Record<
  OrganizationRole,
  number
>;

/** Whether a role in a space holds at least what `least` holds. */
export const spaceRoleHolds = (role: SpaceRole | null, least: SpaceRole) =>
  role !== null && spaceRank[role] >= spaceRank[least];
/** Whether a role in an organization holds at least what `least` holds. */
export const organizationRoleHolds = (role: OrganizationRole | null, least: OrganizationRole) =>
  role !== null && organizationRank[role] >= organizationRank[least];

/** For how long a deleted space can be restored. */
export const restorableDays = 30;
const restorableMs = restorableDays * 24 * 60 * 60 * 1_000;

/** What a viewer is, everywhere, after the limits of their credential. */
export interface Roles {
  readonly userId: string | null;
  /** Whether public spaces may be read: not by a key that is restricted to spaces. */
  readonly readsPublic: boolean;
  readonly spaces: ReadonlyMap<string, SpaceRole>;
  /** Deleted spaces that can still be restored. */
  readonly deletedSpaces: ReadonlyMap<string, SpaceRole>;
  readonly organizations: ReadonlyMap<string, OrganizationRole>;
  /** Ids of the spaces where the role holds at least `least`; the same array each time. */
  spacesWith(least: SpaceRole): readonly string[];
  organizationsWith(least: OrganizationRole): readonly string[];
}

interface RoleRow {
  readonly kind: 'space' | 'deleted' | 'organization';
  readonly id: string;
  readonly role: string;
}

const there = `(s."deletedAt" is null or s."deletedAt" > $2::timestamptz)`;

// Owners and admins of an organization have the same rank in its spaces; the higher of two ways to a space counts.
const userRoles = `
  select case when s."deletedAt" is null then 'space' else 'deleted' end as kind, s.id, m.role::text as role
    from "SpaceMember" m join "Space" s on s.id = m."spaceId" where m."userId" = $1::text and ${there}
  union all
  select case when s."deletedAt" is null then 'space' else 'deleted' end, s.id, m.role::text
    from "OrganizationMember" m join "Space" s on s."organizationId" = m."organizationId"
    where m."userId" = $1::text and m.role in ('ADMIN', 'OWNER') and ${there}
  union all
  select 'organization', m."organizationId", m.role::text
    from "OrganizationMember" m join "Organization" o on o.id = m."organizationId" and o."deletedAt" is null where m."userId" = $1::text`;

const organizationKeyRoles = `
  select case when s."deletedAt" is null then 'space' else 'deleted' end as kind, s.id, 'ADMIN' as role
    from "Space" s where s."organizationId" = $1::text and ${there}
  union all
  select 'organization', o.id, 'ADMIN' from "Organization" o where o.id = $1::text and o."deletedAt" is null`;

const nobody = rolesOf([], null, null);

/** The roles of a viewer: from memory, or by one statement. */
export async function loadRoles(app: App, viewer: Viewer | null): Promise<Roles> {
  if (!viewer) return nobody;
  const { among } = viewer;
  if (among === undefined) return ownRoles(app, viewer);
  const isMember = (await ownRoles(app, viewer)).spaces.has(among);
  return isMember ? rolesOf([{ kind: 'space', id: among, role: 'VIEWER' }], null, new Set([among])) : nobody;
}

async function ownRoles(app: App, viewer: Viewer): Promise<Roles> {
  const { userId, organizationId, spaceIds } = viewer;
  const principal = organizationId ?? userId;
  const key = spaceIds ? `roles ${principal} in ${[...spaceIds].join()}` : `roles ${principal}`;
  return app.memory.recall(key, async () => {
    const since = new Date(app.now().getTime() - restorableMs);
    // Everybody's are asked for anew after what changed them for many.
    const rows = await askTogether<RoleRow>(app, organizationId ? organizationKeyRoles : userRoles, [principal, since]);
    return {
      value: rolesOf(rows, userId, spaceIds),
      tags: [...new Set([`${principal}`, ...rows.map((row) => row.id)])],
    };
  });
}

/** The roles of the operation's viewer, the same all through one epoch. */
export const roles = perEpoch(({ app, viewer }) => loadRoles(app, viewer));

function rolesOf(rows: readonly RoleRow[], userId: string | null, spaceIds: ReadonlySet<string> | null): Roles {
  const spaces = new Map<string, SpaceRole>();
  const deletedSpaces = new Map<string, SpaceRole>();
  const organizations = new Map<string, OrganizationRole>();
  for (const { kind, id, role } of rows) {
    if (kind === 'organization') {
      // A key that may enter some spaces only has no business in the organization around them.
      if (!spaceIds) organizations.set(id, role as OrganizationRole);
      continue;
    }
    if (spaceIds && !spaceIds.has(id)) continue;
    const map = kind === 'space' ? spaces : deletedSpaces;
    const known = map.get(id);
    if (!known || spaceRank[role as SpaceRole] > spaceRank[known]) map.set(id, role as SpaceRole);
  }
  const spacesWith = new Map<string, readonly string[]>();
  const organizationsWith = new Map<string, readonly string[]>();
  return {
    userId,
    readsPublic: spaceIds === null,
    spaces,
    deletedSpaces,
    organizations,
    spacesWith: (least) => remember(spacesWith, least, () => ids(spaces, (role) => spaceRoleHolds(role, least))),
    organizationsWith: (least) =>
      remember(organizationsWith, least, () => ids(organizations, (role) => organizationRoleHolds(role, least))),
  };
}

function ids<Role>(map: ReadonlyMap<string, Role>, holds: (role: Role) => boolean): string[] {
  return [...map].filter(([, role]) => holds(role)).map(([id]) => id);
}

function remember<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}
