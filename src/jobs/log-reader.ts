import type { App } from '../core/context.js';
import { type Position, readLog } from '../core/event-log.js';
import { addJobs } from '../core/jobs.js';
import { laterReactionsTo } from '../core/reactions.js';
import type { Query } from '../platform/database/database.js';

const page = 1_000;
/** Of a log that grows faster than it is read, what is left is for the next time. */
const mostPages = 50;

/**
 * Adds the jobs that follow from the event log since it was last read. Any number of processes may do so; one at a time does. Answers whether
 * everything that has committed was read: what stands behind a transaction that still runs, or behind 50,000 others, is for the next time.
 */
export async function addFromLog(app: App): Promise<boolean> {
  for (let pages = 0; pages < mostPages; pages += 1) {
    const read = await app.database.transaction(readPage, { snapshot: false });
    if (read !== 'more') return read === 'all';
  }
  return false;
}

async function readPage(query: Query): Promise<'all' | 'some' | 'more'> {
  const [at] = await query<Record<keyof Position, string>>(lockSql, []);
  if (!at) return 'some';
  const from = { txid: BigInt(at.txid), seq: BigInt(at.seq) };
  const { events, ahead, full } = await readLog({ query }, from, page);
  await addJobs(query, laterReactionsTo(events.map(({ event }) => event)));
  const last = events.at(-1)?.position;
  if (last) await query(`update "LogReader" set txid = $1, seq = $2 where name = 'jobs'`, [last.txid, last.seq]);
  if (ahead.length > 0) return 'some';
  return full ? 'more' : 'all';
}

const lockSql = `select txid::text as txid, seq::text as seq from "LogReader" where name = 'jobs' for update skip locked`;
