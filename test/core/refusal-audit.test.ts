import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../src/core/ids.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

test('a key that lacks the scope of a mutation is in the audit log of the space', async () => {
  const apiKeyId = newId('key');
  const key = w.client(viewerOf(w.editor.id, { apiKeyId, scopes: new Set(['tree:read']) }));
  const write = 'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { id } } }';
  expect((await key.run(write, { input: { spaceId: w.space.id, path: '/a', value: 1 } })).code).toBe('FORBIDDEN');
  await w.app.readAudit.flush();
  const log =
    'query ($id: ID!) { auditEvents(spaceId: $id, filter: { success: false }) { nodes { action operation apiKeyId errorCode } } }';
  const { data } = await w.owner.run(log, { id: w.space.id });
  expect(data.auditEvents.nodes).toEqual([
    { action: 'Mutation.writeTreeNode', operation: 'WRITE', apiKeyId, errorCode: 'FORBIDDEN' },
  ]);
});

test('a field that is refused is written down where its arguments name a space, once for all its rows', async () => {
  const requests = w.lines.length;
  const apiKeyId = newId('key');
  const key = w.client(viewerOf(w.viewer.id, { apiKeyId, scopes: new Set(['spaces:read']) }));
  const written = async () => {
    await w.app.readAudit.flush();
    return w.app.database.query(`select action, "spaceId" from "AuditEvent" where "apiKeyId" = $1`, [apiKeyId]);
  };
  const perRow = 'query ($id: ID!) { nodes(ids: [$id, $id]) { ... on Space { invitations { totalCount } } } }';
  const rows = await key.run(perRow, { id: w.space.id });
  expect(rows.errors.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  const nonsense = 'query ($id: ID!) { auditEvents(spaceId: $id) { totalCount } }';
  for (const id of ['nonsense', w.organization.id]) expect((await key.run(nonsense, { id })).code).not.toBeNull();
  expect(await written()).toEqual([]);
  expect((await key.run(nonsense, { id: w.space.id })).code).toBe('FORBIDDEN');
  expect(await written()).toEqual([{ action: 'Query.auditEvents', spaceId: w.space.id }]);
  expect(w.lines).toHaveLength(requests);
});
