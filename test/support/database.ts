import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** A database of its own for a test file: migrated, empty, gone after `drop`. */
export async function freshDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const { CANOPY_TEST_TEMPLATE: template } = process.env;
  return createDatabase(template);
}

/** A database without any table, as a new installation finds it. */
export async function emptyDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  return createDatabase('template1');
}

/** Where the bytes of files are whose rows are in this database, for all processes that work on it. */
export const blobsOf = (databaseUrl: string) => join(tmpdir(), 'canopy-test-blobs', new URL(databaseUrl).pathname);

async function createDatabase(template: string | undefined) {
  const { CANOPY_TEST_SERVER: server } = process.env;
  if (!server || !template) throw new Error('There is no test server: run the tests with npm test.');
  const name = `canopy_test_${randomBytes(6).toString('hex')}`;
  await execute(server, `create database ${name} template ${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await execute(server, `drop database ${name} with (force)`);
      await rm(blobsOf(url.href), { recursive: true, force: true });
    },
  };
}

async function execute(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
