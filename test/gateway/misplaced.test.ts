import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

async function ask(query: string, variables: object = {}, authorization = `Bearer ${gateway.demo.apiKeys[0]?.key}`) {
  const response = await fetch(gateway.demo.graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query, variables }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
  return (await response.json()) as { data: any; errors?: any[] };
}

test.each([
  '{ viewer @idempotent(key: "a") { scopes } }',
  'mutation { createApiKey(input: { name: "k", scopes: ["tree:read"] }) { apiKey @idempotent(key: "a") { id } } }',
])('an idempotency key where it would do nothing is refused: %s', async (query) => {
  const { errors } = await ask(query);
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } });
});

test('a field that the REST façade does not know is refused, not passed over', async () => {
  const response = await fetch(`${gateway.url}/api/data/readTree`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.demo.apiKeys[0]?.key}` },
    body: JSON.stringify({ spaceId: gateway.demo.spaceId, path: '/beds', limit: 1 }),
  });
  expect(response.status).toBe(422);
  const { errors } = (await response.json()) as { errors: { extensions: { fields: { path: string }[] } }[] };
  expect(errors[0]?.extensions.fields.map(({ path }) => path)).toEqual(['path', 'limit']);
});

test('who signs up with an address can take up what is offered to it, and sees it; nobody else can', async () => {
  const signUp = async (email: string) => {
    await fetch(`${gateway.url}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'New', email, password: 'a long password' }),
    });
    const answer = await fetch(`${gateway.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password: 'a long password' }),
    });
    const session = answer.headers.get('set-auth-token') ?? ((await answer.json()) as { token: string }).token;
    const token = await fetch(`${gateway.url}/api/auth/token`, { headers: { authorization: `Bearer ${session}` } });
    return `Bearer ${((await token.json()) as { token: string }).token}`;
  };
  const invite = 'mutation ($input: CreateInvitationInput!) { createInvitation(input: $input) { token } }';
  const offer = { spaceId: gateway.demo.spaceId, spaceRole: 'VIEWER', email: 'New.Person@example.com' };
  const { token } = (await ask(invite, { input: offer })).data.createInvitation;
  const accept = 'mutation ($token: String!) { acceptInvitation(input: { token: $token }) { space { viewerRole } } }';
  const other = await ask(accept, { token }, await signUp('other.person@example.com'));
  expect(other.errors?.[0]).toMatchObject({ extensions: { code: 'FORBIDDEN' } });
  const invited = await signUp('new.person@example.com');
  expect((await ask('{ viewer { user { email version } } }', {}, invited)).data.viewer.user).toEqual({
    email: 'new.person@example.com',
    version: 1,
  });
  expect((await ask(accept, { token }, invited)).data.acceptInvitation.space.viewerRole).toBe('VIEWER');
});
