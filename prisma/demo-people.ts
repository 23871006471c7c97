import { scopes } from '../src/core/actions.js';
import type { App, Ctx } from '../src/core/context.js';
import { contextFor } from '../src/core/operation.js';
import { createApiKey } from '../src/domains/identity/api-keys.js';
import { signIn } from '../src/domains/identity/sign-in.js';
import { acceptInvitation, createInvitation } from '../src/domains/invitations/service.js';
import type { CreateApiKeyInput, CreateInvitationInput } from '../src/generated/graphql.js';
import type { DemoAccount, DemoKey } from '../src/graphiql/demo-world.js';

const password = 'canopy-demo-1';

/** The accounts that everybody knows the passwords of. */
export const people: readonly DemoAccount[] = [
  { name: 'Ada Marsh', email: 'ada@demo.example', password },
  { name: 'Ben Okoro', email: 'ben@demo.example', password },
  { name: 'Cleo Sato', email: 'cleo@demo.example', password },
  { name: 'Dov Stern', email: 'dov@demo.example', password },
];

const request = { requestId: 'demo-world', ip: null };

/** Signs somebody up with the embedded issuer; answers the context that they act in. */
export async function signUp(app: App, { name, email, password }: DemoAccount): Promise<Ctx> {
  const { subject } = await app.issuer.createSubject({ email, name, password });
  const nobody = contextFor(app, null, request);
  const userId = await signIn(nobody, { issuer: app.issuer.name, subject, email, emailVerified: true, name });
  return contextFor(
    app,
    { userId, apiKeyId: null, organizationId: null, sessionId: null, scopes: null, spaceIds: null, expiresAt: null },
    request,
  );
}

export const idOf = ({ viewer }: Ctx): string => viewer?.userId ?? '';

/** Offers somebody a place, who takes it. */
export async function invite(from: Ctx, to: Ctx, offer: Omit<CreateInvitationInput, 'email'>): Promise<void> {
  const { email } = await from.app.database.prisma.user.findUniqueOrThrow({
    where: { id: idOf(to) },
    select: { email: true },
  });
  const { token } = await createInvitation(from, { ...offer, email: email ?? '' });
  await acceptInvitation(to, { token: token ?? '' });
}

const readOnly = scopes.filter((scope) => scope.endsWith(':read') && scope !== 'audit:read');

/** One key for everything, and others that may do less. */
export async function makeKeys(owner: Ctx, place: { organizationId: string; spaceId: string }): Promise<DemoKey[]> {
  const { organizationId, spaceId } = place;
  const gardenOnly = ['spaces:read', 'tree:read', 'tree:write', 'events:read'];
  return [
    await makeKey(owner, { name: 'Everything', scopes: [...scopes], spaceIds: [] }),
    await makeKey(owner, { name: 'Read only', scopes: readOnly, spaceIds: [] }),
    await makeKey(owner, { name: 'Garden only', scopes: gardenOnly, spaceIds: [spaceId] }),
    await makeKey(owner, { name: 'Organization', scopes: [...scopes], spaceIds: [], organizationId }),
  ];
}

async function makeKey(owner: Ctx, input: CreateApiKeyInput): Promise<DemoKey> {
  const { value, secret } = await createApiKey(owner, input);
  return { name: value.name, key: secret ?? '', scopes: value.scopes };
}
