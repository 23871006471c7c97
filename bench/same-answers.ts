import { isDeepStrictEqual } from 'node:util';
import type { RunDatabase } from './data/database.js';
import { bodyOf, type Operation, spaceId } from './operations.js';
import type { Running } from './server-process.js';

const calls = 5;
// Far from the calls that are measured.
const firstCall = 500_000;

/**
 * Asks every system the same and throws when two answer differently. Versions count from what the row had before the
 * call, since each system writes to what the one before it has written; a cursor counts as there or not, an instant as
 * the same in whichever way RFC 3339 lets one write it.
 */
export async function assertSameAnswers(
  operation: Operation,
  systems: readonly [string, Running][],
  database: RunDatabase,
): Promise<void> {
  for (let call = firstCall; call < firstCall + calls; call += 1) {
    const body = bodyOf(operation, call, database.nodes);
    let expected: { readonly from: string; readonly answer: unknown } | null = null;
    for (const [from, { url, headers }] of systems) {
      const before = await versionsOf(database, body);
      const response = await fetch(url, { method: 'POST', headers, body });
      const text = await response.text();
      if (response.status !== 200 || text.includes('"errors"'))
        throw new Error(`${from} answers ${operation.id} with ${response.status}: ${text.slice(0, 500)}`);
      const answer = normalise(JSON.parse(text), before);
      expected ??= { from, answer };
      if (isDeepStrictEqual(answer, expected.answer)) continue;
      throw new Error(
        `${from} and ${expected.from} answer ${operation.id} differently:\n${excerpt(answer)}\n${excerpt(expected.answer)}`,
      );
    }
  }
}

const excerpt = (answer: unknown) => JSON.stringify(answer).slice(0, 1_000);

/** The version of each node that the request names. */
async function versionsOf({ client }: RunDatabase, body: string): Promise<Map<string, number>> {
  const paths = [...body.matchAll(/"path":"([^"]+)"/g)].map(([, path]) => path);
  const { rows } = await client.query<{ path: string; version: number }>(
    'select path, version from "TreeNode" where "spaceId" = $1 and path = any($2) and "deletedAt" is null',
    [spaceId, paths],
  );
  return new Map(rows.map(({ path, version }) => [path, version]));
}

function normalise(answer: unknown, before: ReadonlyMap<string, number>): unknown {
  if (Array.isArray(answer)) return answer.map((one) => normalise(one, before));
  if (typeof answer !== 'object' || answer === null) return answer;
  const { path } = answer as { path?: unknown };
  const base = typeof path === 'string' ? (before.get(path) ?? 0) : 0;
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => {
      if (name === 'version' && typeof value === 'number') return [name, value - base];
      if (name === 'createdAt' && typeof value === 'string') return [name, new Date(value).toISOString()];
      if (name === 'endCursor') return [name, typeof value === 'string' && value !== ''];
      return [name, normalise(value, before)];
    }),
  );
}
