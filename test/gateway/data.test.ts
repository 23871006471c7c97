import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
  readonly body: any;
}

/** Sends a body to a route of the façade with the key of this place in the demo world; null sends none. */
async function post(route: string, body: unknown, key: number | null = 0): Promise<Answer> {
  const authorization = key === null ? undefined : `Bearer ${gateway.demo.apiKeys[key]?.key}`;
  const response = await fetch(`${gateway.url}/api/data/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

const spaceId = () => gateway.demo.spaceId;
const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

test('writes, reads, lists and batches as the graph does, with the time of the answer', async () => {
  const written = await post('write', { spaceId: spaceId(), path: '/rest/a', value: { n: 1 }, expectedVersion: 0 });
  expect(written).toMatchObject({
    status: 200,
    body: { data: { treeNode: { path: '/rest/a', value: { n: 1 }, version: 1 } }, timestamp: instant },
  });
  expect(await post('read', { spaceId: spaceId(), path: '/rest/a' })).toMatchObject({
    status: 200,
    body: { data: { exists: true, isDefault: false, value: { n: 1 }, version: 1 } },
  });
  const operations = [{ write: { path: '/rest/b', value: 2 } }, { read: { path: '/rest/b' } }];
  const batch = await post('batch', { spaceId: spaceId(), operations });
  expect(batch.body.data.results).toMatchObject([{ status: 'APPLIED' }, { value: 2 }]);
  const { body } = await post('readTree', { spaceId: spaceId(), pathPrefix: '/rest' });
  expect(body.data.nodes.map(({ path }: { path: string }) => path)).toEqual(['/rest/a', '/rest/b']);
  expect(body.data.pageInfo).toMatchObject({ hasNextPage: false });
  expect((await post('read', { spaceId: spaceId(), path: '/rest/none', default: 7 })).body.data).toMatchObject({
    exists: false,
    isDefault: true,
    value: 7,
  });
});

test('refuses with the status that each reason has', async () => {
  const read = { spaceId: spaceId(), path: '/rest/a' };
  const write = { ...read, value: 1 };
  await post('write', write);
  const refusals = [
    [401, 'UNAUTHENTICATED', await post('read', read, null)],
    [403, 'FORBIDDEN', await post('write', write, 1)],
    [404, 'NOT_FOUND', await post('read', { ...read, spaceId: 'space_00000000000000000000000000' })],
    [409, 'CONFLICT', await post('write', { ...write, expectedVersion: 99 })],
    [422, 'BAD_USER_INPUT', await post('read', { ...read, path: 'no/slash' })],
    [422, 'BAD_USER_INPUT', await post('read', { spaceId: spaceId() })],
    [422, 'BAD_USER_INPUT', await post('batch', { spaceId: spaceId(), operations: [] })],
  ] as const;
  for (const [status, code, answer] of refusals) {
    expect(answer).toMatchObject({ status, body: { errors: [{ extensions: { code } }], timestamp: instant } });
  }
});
