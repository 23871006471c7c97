import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import pg from 'pg';
import { type HttpAnswer, keyOf, post, send } from './client.js';
import { freshDatabase } from './database.js';
import { startGateway } from './gateway.js';
import { proxyTo } from './proxy.js';

const readQuery = 'query ($spaceId: ID!) { treeNode(spaceId: $spaceId, path: "/") { value } }';
const writeQuery =
  'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { treeNode { version value } } }';

export type FaultyGateway = Awaited<ReturnType<typeof faultyGateway>>;

/** A gateway of four connections whose way to Postgres can be broken, and someone who reads and writes there. */
export async function faultyGateway() {
  const database = await freshDatabase();
  const proxy = await proxyTo(database.url);
  const gateway = await startGateway({ databaseUrl: proxy.url, databasePool: 4 });
  const direct = new pg.Client({ connectionString: database.url });
  await direct.connect();
  const key = { authorization: keyOf(gateway) };
  const here = { spaceId: gateway.demo.spaceId };
  const ask = (query: string, variables: object = {}) => post(gateway.url, { query, variables }, key);
  const read = () => ask(readQuery, here);
  const write = (path: string, value: unknown) => ask(writeQuery, { input: { ...here, path, value } });
  const status = async (path: string) => (await send(`${gateway.url}${path}`)).status;

  /** Waits until reads and writes succeed again; answers how long that took. */
  async function recovered(): Promise<number> {
    const began = performance.now();
    for (;;) {
      const answers = [await read(), await write('/recovered', 1)];
      const fine = answers.every((answer) => answer.status === 200 && answer.code === null);
      if (fine && (await status('/api/ready')) === 200) return performance.now() - began;
      if (performance.now() - began > 15_000) throw new Error(answers.map(({ text }) => text).join());
      await sleep(50);
    }
  }

  /** How many statements on the tree wait for somebody's lock. */
  async function waiting(): Promise<number> {
    const { rows } = await direct.query(
      `select count(*)::int as n from pg_locks where relation = '"TreeNode"'::regclass and not granted`,
    );
    return rows[0].n;
  }

  return {
    url: gateway.url,
    proxy,
    key,
    here,
    /** Reaches the database past the proxy. */
    direct,
    ask,
    read,
    write,
    /** The HTTP status of a path. */
    status,
    recovered,
    waiting,
    /** Puts everything right again. */
    async heal() {
      await direct.query('rollback');
      await proxy.resume();
      await recovered();
    },
    async close() {
      await gateway.close();
      await direct.end();
      await proxy.close();
      await database.drop();
    },
  };
}

/** An answer and how long it took. */
export async function timed(ask: () => Promise<HttpAnswer>): Promise<{ answer: HttpAnswer; ms: number }> {
  const began = performance.now();
  const answer = await ask();
  return { answer, ms: performance.now() - began };
}

/** Expects the answer of a gateway that cannot reach its database, which says nothing of how. */
export function expectUnavailable(answer: HttpAnswer): void {
  expect({ status: answer.status, code: answer.code }).toEqual({ status: 503, code: 'SERVICE_UNAVAILABLE' });
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9]$/);
  expect(answer.body.errors[0].extensions.retryable).toBe(true);
  expect(answer.text).not.toMatch(/ECONN|terminated|127\.0\.0\.1|timeout exceeded/);
}
