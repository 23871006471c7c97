import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cookieOf, keyOf, logLine, post, send, tokenOf } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
let ada: { authorization: string };
beforeAll(async () => {
  gateway = await startGateway();
  ada = await tokenOf(gateway);
});
afterAll(() => gateway.close());

const write = 'mutation Water($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { version } } }';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('a request has one id: in the header, the errors, the line of the log and the rows of the audit log', async () => {
  const requestId = 'water-1.a:b_c';
  const variables = { input: { spaceId: gateway.demo.spaceId, path: '/id', value: 1 } };
  const answer = await post(
    gateway.url,
    { query: write, variables },
    { ...(await tokenOf(gateway, 2)), 'x-request-id': requestId },
  );
  expect(answer.headers.get('x-request-id')).toBe(requestId);
  expect(answer.body.errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', requestId });
  expect(await logLine(gateway, (line) => line['requestId'] === requestId)).toMatchObject({
    message: 'operation',
    operation: 'Water',
    status: 200,
    code: 'FORBIDDEN',
  });
  const [entry] = await gateway.app.database.prisma.auditEvent.findMany({ where: { requestId } });
  expect(entry).toMatchObject({ action: 'tree.write', success: false, errorCode: 'FORBIDDEN', ip: '127.0.0.1' });
});

test('a refused credential has its id in the audit log too', async () => {
  await post(
    gateway.url,
    { query: '{ __typename }' },
    { authorization: 'Bearer nonsense', 'x-request-id': 'refused-1' },
  );
  await eventually(async () => {
    const [entry] = await gateway.app.database.prisma.auditEvent.findMany({ where: { requestId: 'refused-1' } });
    expect(entry).toMatchObject({
      action: 'account.signIn',
      success: false,
      errorCode: 'UNAUTHENTICATED',
      metadata: { credential: 'token' },
    });
  });
  expect(await logLine(gateway, (line) => line['requestId'] === 'refused-1')).toMatchObject({
    message: 'refused',
    method: 'POST',
    path: '/graphql',
    status: 401,
    code: 'UNAUTHENTICATED',
  });
});

test.each(['', ' ', 'a b', 'x'.repeat(65), '<script>', 'a,b', '"quoted"', 'ünï'])(
  'an id that is not fit for logs is replaced: %j',
  async (sent) => {
    const answer = await post(
      gateway.url,
      { query: '{ __typename }' },
      { 'x-request-id': Buffer.from(sent).toString('latin1') },
    );
    expect(answer.headers.get('x-request-id')).toMatch(uuid);
  },
);

test('every line of the log is one JSON object and holds no secret and no variable', async () => {
  const { cookie } = await cookieOf(gateway);
  const key = keyOf(gateway);
  const secret = 'the-treasure-is-below-the-oak';
  const variables = {
    input: { spaceId: gateway.demo.spaceId, path: '/secret', value: { text: secret, line: 'a\nb\u2028c' } },
  };
  await post(gateway.url, { query: write, variables }, ada);
  await post(gateway.url, { query: write, variables }, { authorization: key });
  await post(
    gateway.url,
    { query: write, variables: { input: { ...variables.input, path: `/${secret}\u0000` } } },
    { cookie },
  );
  await post(gateway.url, { query: write, variables: { input: secret } }, { cookie });
  await post(gateway.url, `{"query": "{ ${secret}`, { cookie });
  await post(gateway.url, { query: `{ node(id: "${secret}") { id } }` }, { authorization: `Bearer ${secret}` });
  await send(`${gateway.url}/graphql?query=%7B__typename%7D&token=${secret}`);
  await send(`${gateway.url}/nothing?token=${secret}`);
  await send(`${gateway.url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@demo.example', password: secret }),
  });
  await post(gateway.url, { query: '{ __typename }' }, { 'x-request-id': 'the-last' });
  await logLine(gateway, (line) => line['requestId'] === 'the-last');
  for (const line of gateway.lines)
    expect(Object.keys(JSON.parse(line))).toEqual(expect.arrayContaining(['time', 'level', 'message']));
  const all = gateway.lines.join('\n');
  for (const hidden of [
    secret,
    ada.authorization.slice(7),
    key.slice(7),
    cookie.split('=')[1] ?? '',
    gateway.demo.accounts[0]?.password ?? '',
  ]) {
    expect(hidden.length).toBeGreaterThan(8);
    expect(all).not.toContain(hidden);
  }
});

test('a defect is told to the log and not to the caller', async () => {
  const { database } = gateway.app;
  await database.query('alter table "Profile" rename to "ProfileAway"', []);
  try {
    const answer = await post(gateway.url, { query: '{ viewer { user { profile { bio } } } }' }, ada);
    expect(answer.body.errors[0]).toMatchObject({
      message: 'Internal server error',
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
    expect(answer.text).not.toMatch(/relation|select|Invalid/i);
    const { requestId } = answer.body.errors[0].extensions;
    expect(
      JSON.stringify(await logLine(gateway, (line) => line['requestId'] === requestId && line['level'] === 'error')),
    ).toMatch(/relation/);
  } finally {
    await database.query('alter table "ProfileAway" rename to "Profile"', []);
  }
});
