import { randomBytes } from 'node:crypto';
import type { Answer, Person } from './world.js';

/** A name that nobody has taken. */
export const freshSlug = (prefix = 'a') => `${prefix}-${randomBytes(5).toString('hex')}`;

/** Runs an operation that is part of the scene, not of the question, and answers its only field. */
export async function make<T>(person: Person, document: string, input: object): Promise<T> {
  const { data, code, errors } = await person.run(document, { input });
  if (code) throw new Error(JSON.stringify(errors));
  const [made] = Object.values<T>(data);
  if (!made) throw new Error('The operation answered no field.');
  return made;
}

const createOrganization =
  'mutation ($input: CreateOrganizationInput!) { createOrganization(input: $input) { organization { id slug version } } }';
const createSpace = 'mutation ($input: CreateSpaceInput!) { createSpace(input: $input) { space { id slug version } } }';
const createInvitation =
  'mutation ($input: CreateInvitationInput!) { createInvitation(input: $input) { invitation { id } token } }';
const acceptInvitation =
  'mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { eventCursor } }';

interface Made {
  readonly id: string;
  readonly slug: string;
  readonly version: number;
}

/** A new organization whose only member is `owner`. */
export async function newOrganization(owner: Person): Promise<Made> {
  const slug = freshSlug('org');
  const { organization } = await make<{ organization: Made }>(owner, createOrganization, { slug, name: slug });
  return organization;
}

/** A new space whose only member is `owner`. */
export async function newSpace(owner: Person, more: object = {}): Promise<Made> {
  const slug = freshSlug('space');
  const { space } = await make<{ space: Made }>(owner, createSpace, { slug, name: slug, ...more });
  return space;
}

/** The address that someone signs in with. */
export async function emailOf(person: Person): Promise<string> {
  const { data } = await person.run('{ viewer { user { email } } }');
  return data.viewer.user.email;
}

/** The handle of someone who signed in. */
export async function handleOf(person: Person): Promise<string> {
  const { data } = await person.run('{ viewer { user { handle } } }');
  return data.viewer.user.handle;
}

/** Offers a role to someone; the answer takes it up. */
export async function invite(
  by: Person,
  whom: Person,
  offer: object,
): Promise<{ id: string; token: string; accept(): Promise<Answer> }> {
  const { invitation, token } = await make<{ invitation: { id: string }; token: string }>(by, createInvitation, {
    email: await emailOf(whom),
    ...offer,
  });
  return { id: invitation.id, token, accept: () => whom.run(acceptInvitation, { input: { token } }) };
}

/** Brings someone into an organization or a space. */
export async function join(by: Person, whom: Person, offer: object): Promise<void> {
  const { code, errors } = await (await invite(by, whom, offer)).accept();
  if (code) throw new Error(JSON.stringify(errors));
}
