import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Viewer } from '../../src/core/context.js';
import { heldTogether } from '../../src/core/held-together.js';
import { loadRoles } from '../../src/core/roles.js';
import type { KeyedShape } from '../../src/core/shape.js';
import { rulesSql } from '../../src/core/sql.js';
import { askTogether, combine } from '../../src/core/together.js';
import { visibility } from '../../src/core/visibility.js';
import type { Prisma } from '../../src/generated/prisma/client.js';
import { type Door, doorOf } from '../support/files.js';
import { filledWith } from '../support/filled-space.js';
import { newSpace } from '../support/tenancy.js';
import { viewerOf, type World, world } from '../support/world.js';

let w: World;
let door: Door;
let viewers: readonly (Viewer | null)[];
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
  const { prisma } = w.app.database;
  const open = await newSpace(w.owner, { visibility: 'PUBLIC' });
  const inside = { organizationId: w.organization.id };
  await prisma.organizationMember.create({ data: { ...inside, userId: w.stranger.id, role: 'MEMBER' } });
  const apart = await w.person('Apart');
  for (const spaceId of [w.space.id, open.id])
    await filledWith(
      w,
      door,
      { author: w.editor, reader: w.viewer },
      await joined(spaceId),
      `word${spaceId.slice(-6)}`,
    );
  // One of each, in turn: a rule of files for each of them.
  await prisma.$executeRaw`update "File" f set visibility = (array['PRIVATE', 'SPACE', 'ORGANIZATION', 'PUBLIC']::"Visibility"[])[n.n % 4 + 1]
    from (select id, row_number() over (order by id) as n from "File") n where n.id = f.id`;
  await prisma.$executeRaw`update "AccessGrant" set "userId" = ${apart.id} where id = (select max(id) from "AccessGrant" where "userId" is not null)`;
  const everywhere = [w.owner, w.admin, w.editor, w.commenter, w.viewer, w.guest, w.stranger, apart];
  const organizationKey = viewerOf('', { userId: null, organizationId: w.organization.id });
  viewers = [
    null,
    ...everywhere.map(({ viewer }) => viewer),
    ...everywhere.map(({ id }) => viewerOf(id, { spaceIds: new Set([w.space.id]) })),
    viewerOf(w.owner.id, { spaceIds: new Set([w.otherSpace.id]) }),
    viewerOf(w.owner.id, { among: w.space.id }),
    organizationKey,
    { ...organizationKey, spaceIds: new Set([w.space.id]) },
  ];

  async function joined(spaceId: string): Promise<string> {
    for (const { id: userId } of [w.editor, w.viewer])
      await prisma.spaceMember.upsert({
        where: { spaceId_userId: { spaceId, userId } },
        create: { userId, spaceId, role: 'EDITOR' },
        update: {},
      });
    w.app.memory.forgetAll();
    return spaceId;
  }
}, 120_000);
afterAll(async () => {
  await door.close();
  await w.close();
});

const models = Object.keys(visibility) as Prisma.ModelName[];

/** The column of text that is the whole primary key of a model, if it has such a one. */
async function keyOf(model: string): Promise<string | null> {
  const keys = await w.app.database.query<{ name: string; type: string }>(
    `select a.attname::text as name, a.atttypid::regtype::text as type from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
      where i.indrelid = $1::regclass and i.indisprimary`,
    [`"${model}"`],
  );
  return keys.length === 1 && keys[0]?.type === 'text' ? keys[0].name : null;
}

describe('who sees a row', () => {
  const told = { rows: 0, seen: 0, models: 0 };

  test.each(models)('of %s is the same, whether each asks alone or all together', async (model) => {
    const key = (await keyOf(model)) ?? `ctid`;
    const statement = rulesSql(
      1,
      (sql) =>
        `select t."${key}"::text as key from "${model}" t where t."${key}"::text = any($1::text[]) and ${sql(visibility[model], 't')} order by 1`,
    );
    const all = await w.app.database.query<{ key: string }>(
      `select "${key}"::text as key from "${model}" limit 300`,
      [],
    );
    const keys = all.map((row) => row.key);
    const held = await Promise.all(viewers.map((viewer) => loadRoles(w.app, viewer)));
    const alone: string[][] = [];
    for (const one of held) {
      const rows = await w.app.database.query<{ key: string }>(statement.text, [keys, ...statement.values(one)]);
      alone.push(rows.map((row) => row.key));
    }
    const together = await Promise.all(
      held.map((one) => askTogether<{ key: string }>(w.app, statement.text, [keys, ...statement.values(one)])),
    );
    expect(together.map((rows) => rows.map((row) => row.key).sort())).toEqual(alone.map((one) => [...one].sort()));
    told.rows += keys.length;
    told.models += 1;
    told.seen += alone.flat().length;
    if (key === 'ctid') return;

    const shape: KeyedShape<Record<string, unknown>> = {
      model,
      key,
      columns: [key],
      always: [key],
      fields: {},
      inJson: {},
    };
    const asked = held.map((viewer) =>
      Promise.all(keys.map((one) => heldTogether(w.app, shape, key, { key: one, columns: [key], viewer }))),
    );
    const rows = await Promise.all(asked);
    expect(rows.map((of) => of.flatMap((row) => (row ? [row[key] as string] : [])).sort())).toEqual(
      alone.map((one) => [...one].sort()),
    );
  });

  test('was asked of many rows, and not answered alike for all', () => {
    process.stderr.write(`  ${viewers.length} viewers, ${told.models} models, ${told.rows} rows, ${told.seen} seen\n`);
    expect(told.models).toBe(models.length);
    expect(told.rows).toBeGreaterThan(100);
    expect(told.seen).toBeGreaterThan(told.rows);
    expect(told.seen).toBeLessThan((told.rows * viewers.length) / 2);
  });
});

test('what is asked in one moment is one statement, and what one of them cannot ask is their own failure', async () => {
  const text = 'select $1::int * 2 as n, $2::text[] as list';
  const before = w.statements.length;
  const answers = await Promise.all([1, 2, 3, 2].map((n) => askTogether(w.app, text, [n, [`a"\\${n}`, '{}']])));
  expect(w.statements.slice(before).filter((one) => one.includes('* 2 as n'))).toHaveLength(1);
  expect(answers).toEqual([1, 2, 3, 2].map((n) => [{ n: n * 2, list: [`a"\\${n}`, '{}'] }]));
  const mixed = await Promise.allSettled(['1', 'no number', '3'].map((n) => askTogether(w.app, text, [n, []])));
  expect(mixed.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('a statement that leaves a type open is asked by each alone', async () => {
  expect(combine('select $1 as n')).toBeNull();
  const asked = ['a', 'b'].map((name) =>
    askTogether<{ id: string }>(w.app, 'select id from "User" where id = $1', [name]),
  );
  expect(await Promise.all(asked)).toEqual([[], []]);
});
