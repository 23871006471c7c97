import { newKeySecret } from '../../src/domains/identity/api-key.js';
import type { RunDatabase } from '../data/database.js';
import type { Running } from '../server-process.js';

/** Who takes part: members of the first space in all roles, each with a key. The first of them writes. */
export interface Scene {
  readonly spaceId: string;
  readonly keys: readonly string[];
}

const scopes = '{spaces:read,tree:read,tree:write,events:read}';

/** Makes the 1,000 users of the rows members of one space, and gives each a key. */
export async function makeScene({ client }: RunDatabase): Promise<Scene> {
  await client.query(`insert into "SpaceMember" ("spaceId", "userId", role)
    select bench.id('space', 0), bench.id('user', n), ('{VIEWER,COMMENTER,EDITOR,ADMIN}'::text[])[n % 4 + 1]::"SpaceRole" from generate_series(0, 999) n
    on conflict do nothing`);
  const secrets = Array.from({ length: 1_000 }, () => newKeySecret('user'));
  await client.query(
    `insert into "ApiKey" (id, name, prefix, hash, "userId", scopes, "spaceIds")
      select bench.id('key', n), 'bench', prefix, hash, bench.id('user', n - 1), $3, '{}'
      from unnest($1::text[], $2::text[]) with ordinality k(prefix, hash, n)`,
    [secrets.map(({ prefix }) => prefix), secrets.map(({ hash }) => hash), scopes],
  );
  const { rows } = await client.query<{ id: string }>(`select bench.id('space', 0) as id`);
  return { spaceId: rows[0]?.id ?? '', keys: secrets.map(({ secret }) => secret) };
}

export const socketUrl = ({ url }: Running) => url.replace('http', 'ws');

/** Runs an operation with a key; rejects with what is wrong with it. */
export async function ask<T>(server: Running, key: string, query: string, variables: object): Promise<T> {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const writeDocument =
  'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { version } eventCursor } }';

/** Writes a node; answers its version and where a follower goes on. */
export async function write(server: Running, { spaceId, keys }: Scene, path: string, value: unknown) {
  const { writeTreeNode } = await ask<{
    writeTreeNode: { treeNode: { version: number }; eventCursor: string };
  }>(server, keys[0] ?? '', writeDocument, { input: { spaceId, path, value } });
  return { version: writeTreeNode.treeNode.version, cursor: writeTreeNode.eventCursor };
}

const batch = 25;
const batchDocument = 'mutation ($input: BatchTreeInput!) { batchTree(input: $input) { results { version } } }';

/** Writes one node so many times, 25 in a transaction. */
export async function writeMany(server: Running, { spaceId, keys }: Scene, path: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += batch) {
    const operations = Array.from({ length: Math.min(batch, count - from) }, (_, n) => ({
      write: { path, value: { n: from + n } },
    }));
    await ask(server, keys[0] ?? '', batchDocument, { input: { spaceId, operations } });
  }
}
