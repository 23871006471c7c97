import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { emailOf, invite, join, newOrganization, newSpace } from '../support/tenancy.js';
import { type Person, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const create =
  'mutation ($input: CreateInvitationInput!) { createInvitation(input: $input) { token invitation { id email organizationRole spaceRole expiresAt organization { id } space { id } } } }';
const accept =
  'mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { invitation { id organizationRole } organization { id viewerRole } space { id viewerRole } } }';
const revoke =
  'mutation ($input: RevokeInvitationInput!) { revokeInvitation(input: $input) { revokedInvitationId invitation { id email } } }';
const open = 'query ($id: ID!) { organization(by: { id: $id }) { invitations { totalCount nodes { id } } } }';
const viewerRole = 'query ($id: ID!) { organization(by: { id: $id }) { viewerRole } }';

const into = (organizationId: string, organizationRole: string) => ({ organizationId, organizationRole });
const intoSpace = (spaceId: string, spaceRole: string) => ({ spaceId, spaceRole });

const expire = (id: string) =>
  w.app.database.query(`update "Invitation" set "expiresAt" = now() - interval '1 second' where id = $1`, [id]);

test('an invitation brings its addressee into an organization', async () => {
  const { id } = await newOrganization(w.owner);
  const invitation = await invite(w.owner, w.stranger, into(id, 'MEMBER'));
  expect(await w.stranger.run(viewerRole, { id })).toMatchObject({ data: { organization: null } });
  expect(await w.stranger.run(accept, { input: { token: invitation.token } })).toMatchObject({
    data: {
      acceptInvitation: {
        invitation: { id: invitation.id, organizationRole: 'MEMBER' },
        organization: { id, viewerRole: 'MEMBER' },
        space: null,
      },
    },
  });
});

test('an invitation into a space of an organization makes a guest', async () => {
  const organization = await newOrganization(w.owner);
  const { id } = await newSpace(w.owner, { organizationId: organization.id });
  const { token } = await invite(w.owner, w.stranger, intoSpace(id, 'EDITOR'));
  expect(await w.stranger.run(accept, { input: { token } })).toMatchObject({
    data: { acceptInvitation: { organization: null, space: { id, viewerRole: 'EDITOR' } } },
  });
  expect(await w.stranger.run(viewerRole, { id: organization.id })).toMatchObject({
    data: { organization: { viewerRole: null } },
  });
});

test('an invitation says where it leads; its token is told once and kept as a hash', async () => {
  const { id } = await newSpace(w.owner);
  const answer = await w.owner.run(create, { input: { email: 'New.Person@Example.org', ...intoSpace(id, 'VIEWER') } });
  expect(answer).toMatchObject({
    data: {
      createInvitation: {
        token: expect.stringMatching(/^[\w-]{43}$/),
        invitation: {
          email: 'New.Person@Example.org',
          spaceRole: 'VIEWER',
          organizationRole: null,
          organization: null,
          space: { id },
        },
      },
    },
  });
  const { token, invitation } = answer.data.createInvitation;
  expect(Date.parse(invitation.expiresAt) - Date.now()).toBeCloseTo(7 * 24 * 60 * 60 * 1_000, -5);
  const [stored] = await w.app.database.query<{ tokenHash: string }>(
    'select "tokenHash" from "Invitation" where id = $1',
    [invitation.id],
  );
  expect(stored?.tokenHash).toBe(createHash('sha256').update(token).digest('hex'));
});

test('a repeated call with an idempotency key makes one invitation and tells the token once', async () => {
  const { id } = await newOrganization(w.owner);
  const twice = create.replace(
    'createInvitation(input: $input)',
    'createInvitation(input: $input) @idempotent(key: "invite-once")',
  );
  const input = { email: 'once@example.org', ...into(id, 'MEMBER') };
  const first = await w.owner.run(twice, { input });
  const second = await w.owner.run(twice, { input });
  expect(first).toMatchObject({ data: { createInvitation: { token: expect.any(String) } } });
  const { id: invitationId } = first.data.createInvitation.invitation;
  expect(second).toMatchObject({ data: { createInvitation: { token: null, invitation: { id: invitationId } } } });
});

test('an invitation leads to one place with the role of its kind', async () => {
  const organization = await newOrganization(w.owner);
  const space = await newSpace(w.owner);
  const refused = [
    {},
    { organizationId: organization.id },
    { organizationId: organization.id, spaceRole: 'VIEWER' },
    { spaceId: space.id },
    { ...into(organization.id, 'MEMBER'), ...intoSpace(space.id, 'VIEWER') },
  ];
  for (const offer of refused)
    expect(await w.owner.run(create, { input: { email: 'a@example.org', ...offer } })).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
});

test('a token is good once', async () => {
  const { id } = await newOrganization(w.owner);
  const invitation = await invite(w.owner, w.viewer, into(id, 'MEMBER'));
  expect(await invitation.accept()).toMatchObject({ code: null });
  expect(await invitation.accept()).toMatchObject({ code: 'NOT_FOUND' });
});

test('of twenty calls at once with one token, one takes it up', async () => {
  const { id } = await newOrganization(w.owner);
  const invitation = await invite(w.owner, w.viewer, into(id, 'MEMBER'));
  const answers = await Promise.all(Array.from({ length: 20 }, () => invitation.accept()));
  expect(answers.filter(({ code }) => code === null)).toHaveLength(1);
  expect(answers.filter(({ code }) => code === 'NOT_FOUND')).toHaveLength(19);
  const [count] = await w.app.database.query<{ n: number }>(
    `select count(*)::int as n from "Event" where type = 'invitation.accepted' and "organizationId" = $1`,
    [id],
  );
  expect(count?.n).toBe(1);
});

test('another person’s token is refused and stays good', async () => {
  const { id } = await newOrganization(w.owner);
  const invitation = await invite(w.owner, w.viewer, into(id, 'MEMBER'));
  expect(await w.stranger.run(accept, { input: { token: invitation.token } })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await w.stranger.run(viewerRole, { id })).toMatchObject({ data: { organization: null } });
  expect(await invitation.accept()).toMatchObject({ code: null });
});

test('addresses are compared without case', async () => {
  const { id } = await newOrganization(w.owner);
  const answer = await w.owner.run(create, {
    input: { email: (await emailOf(w.viewer)).toUpperCase(), ...into(id, 'MEMBER') },
  });
  const { token } = answer.data.createInvitation;
  expect(await w.viewer.run(accept, { input: { token } })).toMatchObject({
    data: { acceptInvitation: { organization: { id } } },
  });
});

test('unknown, revoked and expired tokens are the same to whoever tries', async () => {
  const { id } = await newOrganization(w.owner);
  const revoked = await invite(w.owner, w.viewer, into(id, 'MEMBER'));
  expect(await w.owner.run(revoke, { input: { id: revoked.id } })).toMatchObject({
    data: { revokeInvitation: { revokedInvitationId: revoked.id } },
  });
  const expired = await invite(w.owner, w.viewer, into(id, 'MEMBER'));
  await expire(expired.id);
  const answers = [
    await revoked.accept(),
    await expired.accept(),
    await w.viewer.run(accept, { input: { token: 'x'.repeat(43) } }),
  ];
  for (const { code, errors } of answers) {
    expect(code).toBe('NOT_FOUND');
    expect(errors[0].message).toBe(answers[2]?.errors[0].message);
  }
  expect(await w.nobody.run(accept, { input: { token: revoked.token } })).toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('an offer lapses with the role of whoever made it', async () => {
  const { id } = await newOrganization(w.owner);
  await join(w.owner, w.admin, into(id, 'ADMIN'));
  const invitation = await invite(w.admin, w.stranger, into(id, 'ADMIN'));
  const space = await newSpace(w.owner, { organizationId: id });
  const guest = await invite(w.admin, w.stranger, intoSpace(space.id, 'ADMIN'));
  await w.owner.run(
    'mutation ($input: RemoveOrganizationMemberInput!) { removeOrganizationMember(input: $input) { removedUserId } }',
    {
      input: { organizationId: id, userId: w.admin.id },
    },
  );
  expect(await invitation.accept()).toMatchObject({ code: 'NOT_FOUND' });
  expect(await guest.accept()).toMatchObject({ code: 'NOT_FOUND' });
});

test('a deleted space or organization takes nobody in', async () => {
  const organization = await newOrganization(w.owner);
  const space = await newSpace(w.owner);
  const offers = [
    await invite(w.owner, w.viewer, into(organization.id, 'MEMBER')),
    await invite(w.owner, w.viewer, intoSpace(space.id, 'VIEWER')),
  ];
  await w.owner.run(
    'mutation ($input: DeleteOrganizationInput!) { deleteOrganization(input: $input) { eventCursor } }',
    { input: { id: organization.id, version: 1 } },
  );
  await w.owner.run('mutation ($input: DeleteSpaceInput!) { deleteSpace(input: $input) { eventCursor } }', {
    input: { id: space.id, version: 1 },
  });
  for (const offer of offers) expect(await offer.accept()).toMatchObject({ code: 'NOT_FOUND' });
});

test('who has a higher role already keeps it, a lower one is raised', async () => {
  const { id } = await newOrganization(w.owner);
  await join(w.owner, w.admin, into(id, 'ADMIN'));
  await join(w.owner, w.admin, into(id, 'MEMBER'));
  expect(await w.admin.run(viewerRole, { id })).toMatchObject({ data: { organization: { viewerRole: 'ADMIN' } } });
  await join(w.owner, w.admin, into(id, 'OWNER'));
  expect(await w.admin.run(viewerRole, { id })).toMatchObject({ data: { organization: { viewerRole: 'OWNER' } } });
});

test('there is one open offer to an address in a place; an expired one makes way', async () => {
  const { id } = await newOrganization(w.owner);
  const offer = (email: string) => w.owner.run(create, { input: { email, ...into(id, 'MEMBER') } });
  const first = await offer('gardener@example.org');
  expect(await offer('Gardener@Example.org')).toMatchObject({ code: 'CONFLICT' });
  await expire(first.data.createInvitation.invitation.id);
  const results = await Promise.all([offer('gardener@example.org'), offer('GARDENER@example.org')]);
  expect(results.filter(({ code }) => code === 'CONFLICT')).toHaveLength(1);
  expect(await w.owner.run(open, { id })).toMatchObject({ data: { organization: { invitations: { totalCount: 1 } } } });
});

test('a role is offered by admins, and never above their own', async () => {
  const { id } = await newOrganization(w.owner);
  await join(w.owner, w.admin, into(id, 'ADMIN'));
  await join(w.owner, w.editor, into(id, 'MEMBER'));
  const space = await newSpace(w.owner, { organizationId: id });
  const offer = (by: Person, more: object) => by.run(create, { input: { email: 'a@example.org', ...more } });
  expect(await offer(w.admin, into(id, 'OWNER'))).toMatchObject({ code: 'FORBIDDEN' });
  expect(await offer(w.admin, intoSpace(space.id, 'OWNER'))).toMatchObject({ code: 'FORBIDDEN' });
  expect(await offer(w.editor, into(id, 'MEMBER'))).toMatchObject({ code: 'FORBIDDEN' });
  expect(await offer(w.editor, intoSpace(space.id, 'VIEWER'))).toMatchObject({ code: 'NOT_FOUND' });
  expect(await offer(w.stranger, into(id, 'MEMBER'))).toMatchObject({ code: 'NOT_FOUND' });
  expect(await offer(w.nobody, into(id, 'MEMBER'))).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await offer(w.admin, into(id, 'ADMIN'))).toMatchObject({
    data: { createInvitation: { invitation: { organizationRole: 'ADMIN' } } },
  });
});

test('open offers are for admins to see and to take back', async () => {
  const { id } = await newOrganization(w.owner);
  await join(w.owner, w.editor, into(id, 'MEMBER'));
  const space = await newSpace(w.owner, { organizationId: id });
  const offers = [
    await invite(w.owner, w.viewer, into(id, 'MEMBER')),
    await invite(w.owner, w.viewer, intoSpace(space.id, 'VIEWER')),
  ];
  const nodes = offers.map((offer) => ({ id: offer.id })).reverse();
  expect(await w.owner.run(open, { id })).toMatchObject({
    data: { organization: { invitations: { totalCount: 2, nodes } } },
  });
  const ofSpace =
    'query ($id: ID!) { space(by: { id: $id }) { invitations { nodes { id space { id } organization { id } } } } }';
  expect(await w.owner.run(ofSpace, { id: space.id })).toMatchObject({
    data: { space: { invitations: { nodes: [{ id: offers[1]?.id, space: { id: space.id }, organization: { id } }] } } },
  });
  expect(await w.editor.run(open, { id })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await w.editor.run('query ($id: ID!) { node(id: $id) { id } }', { id: offers[0]?.id })).toMatchObject({
    data: { node: null },
  });
  for (const person of [w.editor, w.stranger])
    expect(await person.run(revoke, { input: { id: offers[0]?.id } })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await w.owner.run(revoke, { input: { id: offers[0]?.id } })).toMatchObject({
    data: { revokeInvitation: { revokedInvitationId: offers[0]?.id, invitation: { id: offers[0]?.id } } },
  });
  expect(await w.owner.run(revoke, { input: { id: offers[0]?.id } })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await w.owner.run(open, { id })).toMatchObject({ data: { organization: { invitations: { totalCount: 1 } } } });
});
