import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrate } from '../../src/platform/database/migrate.js';
import { emptyDatabase, freshDatabase } from '../support/database.js';

const log = { info: () => {}, warn: () => {} };

describe('migrate', () => {
  let directory = '';
  let database = { url: '', drop: async () => {} };

  beforeEach(async () => {
    database = await emptyDatabase();
    directory = await mkdtemp(join(tmpdir(), 'canopy-migrations-'));
    await cp('prisma/migrations', directory, { recursive: true });
  });

  afterEach(async () => {
    await database.drop();
    await rm(directory, { recursive: true });
  });

  const run = () => migrate(database.url, { directory, log });
  const add = async (name: string, sql: string) => {
    await cp(join(directory, 'migration_lock.toml'), join(directory, name, 'lock'));
    await writeFile(join(directory, name, 'migration.sql'), sql);
  };

  test('applies every migration once', async () => {
    const first = await run();
    expect(first[0]).toMatch(/_foundation$/);
    expect(await run()).toEqual([]);
  });

  test('applies every migration once when two processes start together', async () => {
    const applied = await Promise.all([run(), run(), run()]);
    expect(applied.flat().sort()).toEqual([...new Set(applied.flat())].sort());
    expect(applied.flat()).not.toEqual([]);
  });

  test('refuses a migration that was modified after it was applied', async () => {
    await run();
    const [name] = await names();
    await writeFile(join(directory, String(name), 'migration.sql'), 'select 1');
    await expect(run()).rejects.toThrow(`Migration ${name} was modified after it was applied`);
  });

  test('keeps nothing of a migration that fails, and applies it when it is corrected', async () => {
    await add('29990101000000_broken', 'create table half (id int);\nselect no_such_function();');
    await expect(run()).rejects.toThrow('29990101000000_broken cannot be applied, line 2: function no_such_function()');
    await add('29990101000000_broken', 'create table half (id int)');
    expect(await run()).toEqual(['29990101000000_broken']);
  });

  test('refuses to go on after a migration that another tool left half done', async () => {
    await run();
    await query(
      database.url,
      "insert into _prisma_migrations (id, checksum, migration_name) values ('1', 'x', '29990101000000_half')",
    );
    await expect(run()).rejects.toThrow('29990101000000_half failed before');
  });

  async function names(): Promise<unknown[]> {
    const rows = await query<{ name: string }>(database.url, 'select migration_name as name from _prisma_migrations');
    return rows.map(({ name }) => name);
  }
});

describe('the schema', () => {
  let database = { url: '', drop: async () => {} };
  let client = new pg.Client();

  beforeAll(async () => {
    database = await freshDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`insert into "User" (id, handle, name) values ('usr_1', 'ada', 'Ada')`);
    await client.query(`insert into "Organization" (id, slug, name) values ('org_1', 'acme', 'Acme')`);
    await client.query(`insert into "Space" (id, slug, name, "ownerUserId") values ('spc_1', 'home', 'Home', 'usr_1')`);
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  test('gives a space exactly one owner', async () => {
    const insert = `insert into "Space" (id, slug, name, "ownerUserId", "organizationId") values ('spc_2', 'two', 'Two', $1, $2)`;
    await expect(client.query(insert, [null, null])).rejects.toThrow('Space_one_owner');
    await expect(client.query(insert, ['usr_1', 'org_1'])).rejects.toThrow('Space_one_owner');
  });

  test('gives an API key exactly one principal', async () => {
    const insert = `insert into "ApiKey" (id, name, prefix, hash, "userId", "organizationId") values ('key_1', '', '', '', $1, $2)`;
    await expect(client.query(insert, [null, null])).rejects.toThrow('ApiKey_one_principal');
    await expect(client.query(insert, ['usr_1', 'org_1'])).rejects.toThrow('ApiKey_one_principal');
  });

  test('offers one role an invitation, in a place of its kind', async () => {
    await expect(invite('org_1', null, null, null)).rejects.toThrow('Invitation_one_role');
    await expect(invite('org_1', 'spc_1', 'MEMBER', 'VIEWER')).rejects.toThrow('Invitation_one_role');
    await expect(invite('org_1', 'spc_1', 'MEMBER', null)).rejects.toThrow('Invitation_role_has_place');
    await expect(invite(null, null, 'MEMBER', null)).rejects.toThrow('Invitation_role_has_place');
    await expect(invite('org_1', null, null, 'VIEWER')).rejects.toThrow('Invitation_role_has_place');
  });

  test('has one open invitation an address and place', async () => {
    await invite('org_1', null, 'MEMBER', null);
    await invite(null, 'spc_1', null, 'VIEWER');
    await expect(invite('org_1', null, 'ADMIN', null)).rejects.toThrow('Invitation_open_key');
    await expect(invite(null, 'spc_1', null, 'EDITOR')).rejects.toThrow('Invitation_open_key');
    await client.query('update "Invitation" set "acceptedAt" = now()');
    await invite('org_1', null, 'ADMIN', null);
  });

  test('has one live node a path, and any number of deleted ones', async () => {
    await node('nod_1', '/a', new Date());
    await node('nod_2', '/a', new Date());
    await node('nod_3', '/a', null);
    await expect(node('nod_4', '/a', null)).rejects.toThrow('TreeNode_spaceId_path_live_key');
  });

  test('compares ids by bytes, in every column that holds one', async () => {
    const { rows } = await client.query(
      `select table_name, column_name from information_schema.columns
       where table_schema = 'public' and data_type = 'text' and (column_name = 'id' or column_name like '%Id')
         and table_name <> '_prisma_migrations' and collation_name is distinct from 'C'`,
    );
    expect(rows).toEqual([]);
  });

  test('keeps the audit trail as it was written', async () => {
    const insert = `insert into "AuditEvent" (at, operation, action, success) values ($1, 'WRITE', 'spaces.create', true)`;
    await client.query(insert, [new Date()]);
    await client.query(insert, ['2001-01-01']);
    const { rows } = await client.query('select distinct tableoid::regclass::text as name from "AuditEvent"');
    expect(rows).toHaveLength(2);
    for (const table of ['"AuditEvent"', ...rows.map(({ name }) => name)]) {
      await expect(client.query(`update ${table} set success = false`)).rejects.toThrow('append-only: UPDATE');
      await expect(client.query(`delete from ${table}`)).rejects.toThrow('append-only: DELETE');
      await expect(client.query(`truncate ${table}`)).rejects.toThrow('append-only: TRUNCATE');
    }
  });

  test('puts an event into the partition of its day, and keeps days that were never prepared', async () => {
    await event('2031-05-01T23:59:59Z');
    const later = `select canopy_make_partitions('2031-05-01T12:00:00Z') as made`;
    // Of the nine days one has a row in the default partition and is left there.
    expect((await client.query(later)).rows).toEqual([{ made: 10 }]);
    expect((await client.query(later)).rows).toEqual([{ made: 0 }]);
    await event('2031-05-02T00:00:00Z');
    const { rows } = await client.query(
      `select tableoid::regclass::text as name from "Event" where "createdAt" >= '2031-01-01' order by "createdAt"`,
    );
    expect(rows).toEqual([
      { name: 'canopy_partitions."Event_default"' },
      { name: 'canopy_partitions."Event_20310502"' },
    ]);
  });

  function invite(organization: string | null, space: string | null, role: string | null, spaceRole: string | null) {
    return client.query(
      `insert into "Invitation" (id, email, "tokenHash", "expiresAt", "organizationId", "spaceId", "organizationRole", "spaceRole")
       values (gen_random_uuid(), 'ada@example.com', gen_random_uuid(), now(), $1, $2, $3, $4)`,
      [organization, space, role, spaceRole],
    );
  }

  function node(id: string, path: string, deletedAt: Date | null) {
    return client.query(
      `insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes", "deletedAt")
       values ($1, 'spc_1', $2, '/', 'a', 1, '{}', 'application/json', '', 2, $3)`,
      [id, path, deletedAt],
    );
  }

  function event(at: string) {
    return client.query(
      `insert into "Event" (type, "resourceType", "resourceId", "createdAt") values ('SPACE_UPDATED', 'Space', 'spc_1', $1)`,
      [at],
    );
  }
});

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
