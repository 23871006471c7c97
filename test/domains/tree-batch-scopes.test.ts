import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '../../src/core/ids.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const batch = 'mutation ($input: BatchTreeInput!) { batchTree(input: $input) { results { value nodes { path } } } }';
const write = { write: { path: '/mine', value: 1 } };
const read = { read: { path: '/secret' } };
const readTree = { readTree: { pathPrefix: '/' } };

const keyWith = (...scopes: string[]) =>
  w.client(viewerOf(w.editor.id, { apiKeyId: newId('key'), scopes: new Set(scopes) }));

test.each([
  ['tree:write', [write], null],
  ['tree:write', [read], 'FORBIDDEN'],
  ['tree:write', [write, read], 'FORBIDDEN'],
  ['tree:write', [write, readTree], 'FORBIDDEN'],
  ['tree:read', [read, readTree], null],
  ['tree:read', [read, write], 'FORBIDDEN'],
])('a key with %s alone may batch what that allows: %j', async (scope, operations, code) => {
  const input = { spaceId: w.space.id, operations };
  expect((await keyWith(scope).run(batch, { input })).code).toBe(code);
});
