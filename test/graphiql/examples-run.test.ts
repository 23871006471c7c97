import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { examples } from '../../src/graphiql/examples.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

// In their order, as someone would try them out; each twice, because people do.
const operations = examples.filter(({ query }) => !/^subscription/m.test(query));

test.each([...operations, ...operations.filter(({ name }) => !/invite/i.test(name))])(
  'the example "$name" runs in the demo world',
  async ({ query, variables }) => {
    const filled: unknown = JSON.parse(
      JSON.stringify(variables)
        .replaceAll('$DEMO_SPACE', gateway.demo.spaceId)
        .replaceAll('$UNIQUE', randomUUID())
        .replaceAll('$NOW', new Date().toISOString()),
    );
    const response = await fetch(gateway.demo.graphql, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.demo.apiKeys[0]?.key}` },
      body: JSON.stringify({ query, variables: filled }),
    });
    const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown };
    expect(errors).toBeUndefined();
    expect(data).toBeTruthy();
  },
);
