import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { statementNamed } from '../../src/core/loaders.js';
import type { Database } from '../../src/platform/database/database.js';
import { openDatabase } from '../../src/platform/database/pool.js';
import { statementNames } from '../../src/platform/database/statement-names.js';
import { jsonLog } from '../../src/platform/log.js';
import { emptyDatabase } from '../support/database.js';

let home: Awaited<ReturnType<typeof emptyDatabase>>;
let database: Database;
beforeAll(async () => {
  home = await emptyDatabase();
  database = openDatabase({ url: home.url, max: 1, log: jsonLog('silent', () => {}) });
});
afterAll(async () => {
  await database.close();
  await home.drop();
});

test('however many statements clients make up, a connection keeps a bounded number, and all are answered', async () => {
  for (let n = 0; n < 600; n += 1)
    expect(await database.query(`select $1::int + ${n} as n`, [1])).toEqual([{ n: n + 1 }]);
  const [kept] = await database.query<{ n: number }>('select count(*)::int as n from pg_prepared_statements', []);
  expect(kept?.n).toBe(500);
});

test('a full set of names makes room when its time is over', () => {
  let now = 0;
  const nameOf = statementNames({ statements: 2, characters: 100 }, 1_000, () => now);
  const [a, b] = [nameOf('a'), nameOf('b')];
  expect(a.name).not.toBe(b.name);
  expect(nameOf('c')).toEqual({});
  expect(nameOf('a')).toEqual(a);
  now = 1_000;
  expect(nameOf('a')).toEqual(a);
  expect(nameOf('c').name).toEqual(expect.any(String));
  expect(nameOf('d').name).toEqual(expect.any(String));
  expect(nameOf('a')).toEqual({});
});

test('texts of statements are remembered while they are in use, and not for ever', () => {
  let made = 0;
  const make = () => ({ text: `${(made += 1)}`, values: () => [] });
  const often = statementNamed('often', make);
  const once = statementNamed('once', make);
  for (let n = 0; n < 600; n += 1) {
    statementNamed(`other ${n}`, make);
    expect(statementNamed('often', make)).toBe(often);
  }
  expect(statementNamed('once', make)).not.toBe(once);
});

test('of long statements fewer are named, and none that is longer than all may be', () => {
  let now = 0;
  const nameOf = statementNames({ statements: 10, characters: 8 }, 1_000, () => now);
  expect(nameOf('aaaa').name).toEqual(expect.any(String));
  expect(nameOf('bbbbb')).toEqual({});
  expect(nameOf('cccc').name).toEqual(expect.any(String));
  now = 1_000;
  expect(nameOf('ddddddddd')).toEqual({});
  expect(nameOf('aaaa').name).toEqual(expect.any(String));
  expect(nameOf('bbbbb').name).toEqual(expect.any(String));
  expect(nameOf('cccc')).toEqual({});
});
