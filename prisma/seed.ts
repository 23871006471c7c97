import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from '../src/core/context.js';
import type { DemoWorld } from '../src/graphiql/demo-world.js';
import { people } from './demo-people.js';

export type { DemoWorld };

const fileOf = (home: string) => join(home, 'demo.json');

/** The demo world of this home; null when it has none. */
export async function readDemoWorld(home: string): Promise<DemoWorld | null> {
  return existsSync(fileOf(home)) ? (JSON.parse(await readFile(fileOf(home), 'utf8')) as DemoWorld) : null;
}

/** Makes the demo world in an empty database and writes demo.json; does nothing where somebody lives already. Addresses follow the server. */
export async function seedDemoWorld(
  app: App,
  { home, publicUrl }: { home: string; publicUrl: string },
): Promise<DemoWorld | null> {
  const addresses = { graphql: `${publicUrl}/graphql`, graphiql: `${publicUrl}/graphiql` };
  const known = await readDemoWorld(home);
  if (known && (await isThere(app, 'select from "Space" where id = $1', known.spaceId))) {
    const world = { ...known, ...addresses };
    await writeWorld(home, world);
    return world;
  }
  await mkdir(home, { recursive: true });
  const begun = join(home, 'demo.begun');
  const resumes = existsSync(begun);
  if (!resumes && (await isThere(app, 'select from "User"'))) return null;
  // A start that was cut short leaves this mark, and the next one begins again where nothing but the demo can be.
  await writeFile(begun, '');
  if (resumes) await app.database.query('truncate "User", "Organization" cascade', []);
  const { makeWorld } = await import('./demo-world.js');
  const world = { ...addresses, ...(await makeWorld(app)) };
  await writeWorld(home, world);
  await rm(begun);
  return world;
}

/** Whether the accounts that everybody knows the passwords of live in this database. */
export function holdsDemoWorld(app: App): Promise<boolean> {
  const emails = people.map(({ email }) => email);
  return isThere(app, 'select from "IssuerUser" where email = any($1::text[])', emails);
}

// Every start asks, and one question to Prisma's compiler would make it half as long again.
async function isThere({ database }: App, query: string, ...values: readonly unknown[]): Promise<boolean> {
  return (await database.query(`${query} limit 1`, values)).length > 0;
}

async function writeWorld(home: string, world: DemoWorld): Promise<void> {
  const partial = `${fileOf(home)}.partial`;
  await writeFile(partial, `${JSON.stringify(world, null, 2)}\n`, { mode: 0o600 });
  await rename(partial, fileOf(home));
}
