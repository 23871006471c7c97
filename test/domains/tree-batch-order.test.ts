import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { seeded } from '../support/seeded.js';
import { newSpace } from '../support/tenancy.js';
import { type Tree, treeOf } from '../support/tree.js';
import { type Answer, type World, world } from '../support/world.js';

let w: World;
let batched: Tree;
let single: Tree;
let spaces: string[];
beforeAll(async () => {
  w = await world();
  spaces = [(await newSpace(w.owner)).id, (await newSpace(w.owner)).id];
  [batched, single] = spaces.map((id) => treeOf(w.owner, id)) as [Tree, Tree];
});
afterAll(() => w.close());

const { pick, upTo, chance } = seeded(25);
const paths = ['/', '/a', '/a/b', '/a/b/c', '/a-b', '/a!', '/d', '/d/e'];

function anyOperation(): Record<string, Record<string, unknown>> {
  const path = pick(paths);
  const expected = chance() < 0.15 ? { expectedVersion: upTo(3) } : {};
  const kind = upTo(9);
  if (kind < 5)
    return { write: { path, value: upTo(99), ...expected, ...(chance() < 0.2 && { contentType: 'text/plain' }) } };
  if (kind < 6) return { delete: { path, recursive: chance() < 0.7, ...expected } };
  if (kind < 8) return { read: { path, ...(chance() < 0.5 && { default: 'none' }) } };
  return { readTree: { pathPrefix: path, first: 1 + upTo(5), ...(chance() < 0.5 && { depth: upTo(2) }) } };
}

/** The same operation by itself, and its answer in the form of a batch's. */
async function alone({
  write,
  delete: removal,
  read,
  readTree,
}: Record<string, Record<string, unknown>>): Promise<object> {
  const about = { exists: true, value: null, version: null, nodes: null, deletedCount: null };
  const data = ({ data, errors }: Answer) => {
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    return data;
  };
  if (write) {
    const { path, value, ...more } = write;
    const { treeNode } = data(await single.put(`${path}`, value, more)).writeTreeNode;
    return { ...about, path, value: treeNode.value, version: treeNode.version };
  }
  if (removal) {
    const { path, ...more } = removal;
    return { ...about, path, deletedCount: data(await single.remove(`${path}`, more)).deleteTreeNode.deletedCount };
  }
  if (read) {
    const { path, ...more } = read;
    const { exists, value, version } = data(await single.read(`${path}`, more)).treeNode;
    return { ...about, path, exists, value, version };
  }
  const nodes = await w.owner.run(
    'query ($spaceId: ID!, $pathPrefix: TreePath!, $depth: Int, $first: Int) { tree(spaceId: $spaceId, pathPrefix: $pathPrefix, depth: $depth, first: $first) { nodes { path value version } } }',
    { spaceId: spaces[1], ...readTree },
  );
  const found = data(nodes).tree.nodes;
  return { ...about, path: readTree?.['pathPrefix'], exists: found.length > 0, nodes: found };
}

/** All that a space holds, deleted nodes and history included, without what differs between any two spaces. */
async function contents(spaceId: string | undefined) {
  const nodes = `select path, name, "parentPath", depth, value, "contentType", checksum, "sizeBytes", version, "deletedAt" is null as live from "TreeNode" where "spaceId" = $1 order by path, "deletedAt" is null, version, value::text`;
  const versions = `select path, version, operation, value, "contentType", checksum from "TreeNodeVersion" where "spaceId" = $1 order by path, version, operation, value::text`;
  const events = `select type, related->>'path' as path, related->>'version' as version from "Event" where "spaceId" = $1 and type like 'tree.%' order by 2, 3, 1`;
  return Promise.all([nodes, versions, events].map((sql) => w.app.database.query(sql, [spaceId])));
}

test('a batch does what its operations would do one after the other, and a failing one does nothing', async () => {
  const outcomes = { applied: 0, failed: 0 };
  for (let round = 0; round < 120; round += 1) {
    const operations = Array.from({ length: 1 + upTo(11) }, anyOperation);
    const before = await contents(spaces[0]);
    const { data, errors } = await batched.batch(operations);
    if (!data) {
      outcomes.failed += 1;
      expect([operations, errors[0].extensions.results?.[errors[0].extensions.index]]).toEqual([
        operations,
        { status: 'FAILED' },
      ]);
      expect(await contents(spaces[0])).toEqual(before);
      continue;
    }
    outcomes.applied += 1;
    for (const [at, operation] of operations.entries()) {
      const { status, ...result } = data.batchTree.results[at];
      expect([round, at, operation, result]).toEqual([round, at, operation, await alone(operation)]);
      expect(status).toBe('APPLIED');
    }
    expect(await contents(spaces[0])).toEqual(await contents(spaces[1]));
  }
  expect(outcomes.applied).toBeGreaterThan(30);
  expect(outcomes.failed).toBeGreaterThan(20);
}, 60_000);
