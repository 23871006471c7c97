/**
 * `npm run migration -- <name>` writes the migration that brings the database from prisma/migrations to prisma/models;
 * read it, and add by hand what Prisma cannot say. `--empty` writes one for hand-written SQL alone. `--check` writes
 * nothing and fails when the two disagree. Works on a throwaway embedded Postgres.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { embeddedPostgres, removeEmbeddedPostgres } from '../src/platform/database/embedded.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean' }, empty: { type: 'boolean' } },
});

if (values.check) await check();
else await write(positionals[0]);

async function check(): Promise<void> {
  const sql = await difference();
  if (sql === null) return;
  process.stderr.write(`prisma/migrations do not lead to prisma/models. What is missing:\n\n${sql}`);
  process.exitCode = 1;
}

/** Says what is wrong, without a stack. */
function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

async function write(name: string | undefined): Promise<void> {
  if (!name || !/^[a-z][a-z0-9_]*$/.test(name)) {
    return fail('A migration has a name of lower-case letters, digits and _: npm run migration -- add_notes');
  }
  const sql = values.empty ? '' : await difference();
  if (sql === null) {
    process.stdout.write(
      'prisma/migrations lead to prisma/models already; --empty writes a migration for SQL by hand.\n',
    );
    return;
  }
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const file = join('prisma/migrations', `${time}_${name}`, 'migration.sql');
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, collateIds(sql), { flag: 'wx' });
  process.stdout.write(`${file} is written. Read it before you run it.\n`);
}

/** Ids compare by bytes; a column that does not, would not use the indexes of the others. */
function collateIds(sql: string): string {
  return sql.replace(
    /^(\s*(?:ALTER TABLE .* )?(?:ADD COLUMN\s+)?"(?:id|\w+Id)" TEXT)\b(?! COLLATE)(?!\[)/gm,
    '$1 COLLATE "C"',
  );
}

/** The SQL from prisma/migrations to prisma/models; null when nothing is missing. */
async function difference(): Promise<string | null> {
  const home = await mkdtemp(join(tmpdir(), 'canopy-migration-'));
  await chmod(home, 0o711);
  const log = { info: () => {}, warn: (message: string) => process.stderr.write(`${message}\n`) };
  try {
    const { url, stop } = await embeddedPostgres({ home, log, settings: ['fsync=off'] });
    const prisma = ['node_modules/prisma/build/index.js', 'migrate', 'diff', '--script'];
    const between = ['--from-migrations', 'prisma/migrations', '--to-schema', 'prisma'];
    const env = { ...process.env, DATABASE_URL: url, SHADOW_DATABASE_URL: '' };
    const { stdout } = await promisify(execFile)(process.execPath, [...prisma, ...between], { env }).finally(stop);
    return stdout.includes('-- This is an empty migration.') ? null : stdout.trimStart();
  } finally {
    await removeEmbeddedPostgres(home);
    await rm(home, { recursive: true, force: true });
  }
}
