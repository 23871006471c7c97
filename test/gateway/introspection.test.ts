import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { keyOf, post, send } from '../support/client.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { socketTo } from '../support/socket.js';

const query = '{ __schema { queryType { name } } }';
const byName = '{ __type(name: "Query") { name } }';
const hidden =
  'query ($v: Boolean!) { ...F } fragment F on Query { __typename @include(if: $v) __schema { queryType { name } } }';

describe.each([
  ['public', true, true],
  ['authenticated', false, true],
  ['off', false, false],
] as const)('introspection %s', (introspection, anonymous, authenticated) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ introspection });
  });
  afterAll(() => gateway.close());

  const callers = () => [
    { headers: {} as Record<string, string>, sees: anonymous },
    { headers: { authorization: keyOf(gateway, 1) } as Record<string, string>, sees: authenticated },
  ];

  test('is the same over HTTP, however it is asked', async () => {
    for (const { headers, sees } of callers()) {
      for (const document of [query, byName, hidden]) {
        const answer = await post(gateway.url, { query: document, variables: { v: true } }, headers);
        expect({ document, code: answer.code }).toEqual({ document, code: sees ? null : 'GRAPHQL_VALIDATION_FAILED' });
      }
      expect((await post(gateway.url, { query: '{ __typename }' }, headers)).body.data).toEqual({
        __typename: 'Query',
      });
    }
  });

  test('is the same over WebSocket', async () => {
    for (const { headers, sees } of callers()) {
      const socket = await socketTo(gateway.url);
      await socket.init(headers);
      const [error] = await socket.refusal('{ __schema { queryType { name } } }');
      // Where the schema may be seen, the document is good, and only the operation is not for sockets.
      expect(error?.extensions.code).toBe(sees ? 'BAD_REQUEST' : 'GRAPHQL_VALIDATION_FAILED');
      socket.close();
    }
  });

  test('decides about /schema.graphql too', async () => {
    for (const { headers, sees } of callers()) {
      const answer = await send(`${gateway.url}/schema.graphql`, { headers });
      expect(answer.status).toBe(sees ? 200 : 404);
      if (sees) expect(answer.text).toContain('type Query');
      else expect(answer.code).toBe('NOT_FOUND');
    }
  });
});

test('without GraphiQL there is nothing where it would be', async () => {
  const gateway = await startGateway({ graphiql: false });
  for (const path of ['/', '/graphiql', '/graphiql/', '/graphiql/demo.json', '/graphiql/assets/index.js']) {
    const answer = await send(`${gateway.url}${path}`);
    expect({ path, status: answer.status, code: answer.code }).toEqual({ path, status: 404, code: 'NOT_FOUND' });
  }
  await gateway.close();
});
