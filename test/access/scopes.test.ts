import { expect, test } from '@jest/globals';
import { decide } from '../../src/core/access.js';
import type { SpaceActionName } from '../../src/core/actions.js';
import { loadRoles } from '../../src/core/roles.js';
import { viewerOf, world } from '../support/world.js';

test('an action is asked for where it happens: elsewhere it neither compiles nor is allowed', async () => {
  const w = await world();
  const viewer = viewerOf(w.owner.id);
  const held = await loadRoles(w.app, viewer);
  const space = { space: w.space.id };
  const organization = { organization: w.organization.id };
  expect(decide('space.update', space, viewer, held, false).allowed).toBe(true);
  expect(decide('organization.update', organization, viewer, held, false).allowed).toBe(true);
  // @ts-expect-error: a space's action in an organization
  expect(decide('space.update', organization, viewer, held, false).code).toBe('NOT_FOUND');
  // @ts-expect-error: an organization's action in a space
  expect(decide('organization.update', space, viewer, held, false).code).toBe('NOT_FOUND');
  // @ts-expect-error: not an action of a space, so nothing to follow one by
  const name: SpaceActionName = 'organization.read';
  expect(name).not.toMatch(/^space/);
  await w.close();
});
