import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { restorableDays, roles } from '../../src/core/roles.js';
import { contextIn } from '../support/another-app.js';
import { newSpace } from '../support/tenancy.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

test.each([
  ['a day before', -1, true],
  ['a day after', 1, false],
])('a deleted space is held while it can be restored: %s its last day %s', async (_, days, held) => {
  const { id } = await newSpace(w.owner, { organizationId: w.organization.id });
  const key = viewerOf('', { userId: null, organizationId: w.organization.id });
  await w.app.database.query(`update "Space" set "deletedAt" = now() - make_interval(days => $2) where id = $1`, [
    id,
    restorableDays + days,
  ]);
  w.app.memory.forgetAll();
  for (const viewer of [w.owner.viewer, key]) {
    const { spaces, deletedSpaces } = await roles(contextIn(w.app, viewer));
    expect([spaces.has(id), deletedSpaces.has(id), spaces.has(w.space.id)]).toEqual([false, held, true]);
  }
});
