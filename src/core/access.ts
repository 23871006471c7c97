import { type Action, type ActionName, actions, type Scope, type ScopeOf } from './actions.js';
import { type AuditSubject, recordFailure } from './audit.js';
import type { Ctx, Viewer } from './context.js';
import { AppError, notFound } from './errors.js';
import { isPublicSpace } from './public-space.js';
import { organizationRoleHolds, type Roles, roles, spaceRoleHolds } from './roles.js';

/** Whether a viewer may do something somewhere, and the rule that decided. */
export interface Decision {
  readonly allowed: boolean;
  readonly code: 'UNAUTHENTICATED' | 'NOT_FOUND' | 'FORBIDDEN' | null;
  readonly rule: string;
  readonly missing: readonly string[];
}

const allowed = (rule: string): Decision => ({ allowed: true, code: null, rule, missing: [] });
const refused = (code: Decision['code'], rule: string, missing: string): Decision => ({
  allowed: false,
  code,
  rule,
  missing: [missing],
});

/** The decision, from the roles alone: no read of the thing itself. `isPublic` says whether the space is one that anyone may read. */
export function decide<Name extends ActionName>(
  name: Name,
  scope: ScopeOf<Name>,
  viewer: Viewer | null,
  held: Roles,
  isPublic: boolean,
): Decision {
  const action: Action = actions[name];
  const keyLacks = viewer?.scopes && !viewer.scopes.has(action.scope);
  const needsScope = refused(
    'FORBIDDEN',
    `An API key needs the scope ${action.scope} for ${name}.`,
    `scope ${action.scope}`,
  );
  if (action.in === 'space' && action.public && isPublic)
    return keyLacks ? needsScope : allowed(`Anyone may do ${name} in a public space.`);
  if (!viewer) return refused('UNAUTHENTICATED', `${name} needs a signed-in viewer.`, 'a credential');
  if (action.in === 'self') return keyLacks ? needsScope : decideForSelf(name, viewer, action.person === true);
  const { role, holds } = standing(action, scope, held);
  if (role === null && !isPublic) return refused('NOT_FOUND', 'The viewer has no role there.', `role ${action.least}`);
  if (keyLacks) return needsScope;
  const rule = `${name} needs the role ${action.least} in the ${action.in}; the viewer ${role ? `is ${role}` : 'has none'}.`;
  return holds ? allowed(rule) : refused('FORBIDDEN', rule, `role ${action.least}`);
}

function decideForSelf(name: ActionName, { userId, spaceIds, apiKeyId }: Viewer, needsPerson: boolean): Decision {
  if (!userId) return refused('FORBIDDEN', `${name} needs a user, not an organization's key.`, 'a user');
  if (needsPerson && apiKeyId)
    return refused('FORBIDDEN', `${name} is for a person who has signed in, not for a key.`, 'a sign-in');
  if (spaceIds)
    return refused(
      'FORBIDDEN',
      `${name} is beyond a key that is restricted to spaces.`,
      'a key without that restriction',
    );
  return allowed(`${name} is about the viewer.`);
}

/** The role that the viewer has where it counts, and whether it is enough. */
function standing(action: Exclude<Action, { in: 'self' }>, scope: Scope, held: Roles) {
  if (action.in === 'space') {
    const spaces = action.deleted ? held.deletedSpaces : held.spaces;
    const role = ('space' in scope && spaces.get(scope.space)) || null;
    return { role, holds: spaceRoleHolds(role, action.least) };
  }
  const role = ('organization' in scope && held.organizations.get(scope.organization)) || null;
  return { role, holds: organizationRoleHolds(role, action.least) };
}

/** Decides, asking the database only about a space in which the viewer has no role. */
export async function decideFor<Name extends ActionName>(
  ctx: Ctx,
  name: Name,
  scope: ScopeOf<Name>,
): Promise<Decision> {
  const held = await roles(ctx);
  const isOther = 'space' in scope && !held.spaces.has(scope.space);
  return decide(name, scope, ctx.viewer, held, isOther && (await isPublicSpace(ctx, scope.space)));
}

/** Throws unless the viewer may do it, and answers who they are; a refusal is audited. A stranger learns no more than NOT_FOUND. */
export async function allow<Name extends ActionName>(
  ctx: Ctx,
  name: Name,
  scope: ScopeOf<Name>,
  subject?: AuditSubject,
): Promise<Viewer> {
  await enter(ctx, name, scope, subject);
  return signedIn(ctx);
}

/** Who acts, where something else has let them. */
export function signedIn({ viewer }: Ctx): Viewer {
  if (!viewer) throw new AppError('UNAUTHENTICATED', 'Sign in first.');
  return viewer;
}

/** The same as `allow` for what anonymous readers of public spaces may do too. */
export async function enter<Name extends ActionName>(
  ctx: Ctx,
  name: Name,
  scope: ScopeOf<Name>,
  subject?: AuditSubject,
): Promise<void> {
  const decision = await decideFor(ctx, name, scope);
  if (!decision.allowed) throw await refusal(ctx, name, scope, decision, subject);
}

/** Writes a refusal down, and answers what the caller hears of it. */
export async function refusal(
  ctx: Ctx,
  name: ActionName,
  scope: Scope,
  { code, rule }: Decision,
  subject?: AuditSubject,
): Promise<AppError> {
  await recordFailure(ctx, name, scope, code ?? 'FORBIDDEN', subject);
  if (code === 'UNAUTHENTICATED') return new AppError('UNAUTHENTICATED', 'Sign in first.');
  return code === 'NOT_FOUND' ? notFound() : new AppError('FORBIDDEN', rule);
}
