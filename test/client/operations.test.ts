import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { canopyClient, type OperationError } from '../../src/client/client.js';
import {
  BatchDocument,
  ReadNodeDocument,
  ReadTreeDocument,
  WhoAmIDocument,
  WriteNodeDocument,
} from '../../src/generated/client.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const clientOf = (key: number) =>
  canopyClient({ url: gateway.demo.graphql, credential: () => gateway.demo.apiKeys[key]?.key ?? '' });

test('an application reads and writes with types from its documents', async () => {
  const client = clientOf(0);
  const { viewer } = await client.run(WhoAmIDocument, {});
  expect(viewer?.user.name).toBe('Ada Marsh');
  const { spaceId } = gateway.demo;
  const write = { input: { spaceId, path: '/app/settings', value: { dark: true } }, key: randomUUID() };
  const { writeTreeNode } = await client.run(WriteNodeDocument, write);
  expect(writeTreeNode.treeNode.version).toBe(1);
  expect((await client.run(WriteNodeDocument, write)).writeTreeNode).toEqual(writeTreeNode);
  const operations = [{ write: { path: '/app/count', value: 1 } }, { read: { path: '/app/count' } }];
  const { batchTree } = await client.run(BatchDocument, { input: { spaceId, operations }, key: randomUUID() });
  expect(batchTree.results.map(({ value }) => value)).toEqual([1, 1]);
  const { tree } = await client.run(ReadTreeDocument, { spaceId, pathPrefix: '/app' });
  expect(tree.nodes.map(({ path }) => path)).toEqual(['/app/count', '/app/settings']);
});

test('a refusal is an error with the code and the request id', async () => {
  const write = { input: { spaceId: gateway.demo.spaceId, path: '/app/x', value: 1 }, key: randomUUID() };
  const refused = clientOf(1).run(WriteNodeDocument, write);
  await expect(refused).rejects.toMatchObject({
    name: 'OperationError',
    code: 'FORBIDDEN',
  } satisfies Partial<OperationError>);
  const stranger = canopyClient({ url: gateway.demo.graphql });
  await expect(stranger.run(ReadNodeDocument, { spaceId: gateway.demo.spaceId, path: '/app' })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
});
