import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { auditServer, serverAudits } from 'graphql-http';
import { startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const ids = serverAudits({ url: 'http://localhost' }).map(({ id, name }) => [id, name] as const);

test.each(ids)('GraphQL over HTTP %s: %s', async (id) => {
  const audit = serverAudits({ url: `${gateway.url}/graphql` }).find((one) => one.id === id);
  expect(await audit?.fn()).toMatchObject({ status: 'ok' });
});

test('there are 61 of them', async () => {
  const results = await auditServer({ url: `${gateway.url}/graphql` });
  expect(results).toHaveLength(61);
});
