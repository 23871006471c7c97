import { once } from 'node:events';
import pg from 'pg';

/** Connections beside the gateway's, to a database that the test file drops at its end. */
export function connectionsTo(databaseUrl: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: databaseUrl, max });
  let open = 0;
  pool.on('connect', () => (open += 1));
  pool.on('remove', () => (open -= 1));
  const end = pool.end.bind(pool);
  // The pool's own end does not wait for the server, which would then cut what is still open, into the next test file.
  pool.end = async () => {
    await end();
    while (open > 0) await once(pool, 'remove');
  };
  return pool;
}
