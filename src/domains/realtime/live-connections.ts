import { randomUUID } from 'node:crypto';
import { perApp } from '../../core/context.js';
import { usesOf } from '../../core/last-used.js';
import { heardOfSql } from './client-session.js';

const flushMs = 250;
const beatMs = 20_000;
const largestWrite = 5_000;

interface Open {
  readonly id: string;
  readonly sessionId: string;
  readonly at: string;
}

/**
 * The connections that this process holds, written down in batches for others to see. That it lives is one row, so that a process with ten thousand idle
 * connections writes three rows a minute; when it is killed, all that it held is forgotten within a minute.
 */
export const liveConnections = perApp(({ database, log, now }) => {
  const instanceId = randomUUID();
  const open = new Map<string, Open>();
  const added = new Map<string, Open>();
  const ended = new Set<string>();
  let soon: NodeJS.Timeout | null = null;
  let beating: NodeJS.Timeout | null = null;
  let isKnown = false;
  let working: Promise<void> = Promise.resolve();

  /** One after the other; what fails is tried again with the next beat. */
  function work(what: () => Promise<void>): Promise<void> {
    working = working.then(async () => {
      try {
        await what();
      } catch (error) {
        log.warn('Connections could not be written down; the next beat tries again.', { error });
      }
    });
    return working;
  }

  async function flush(): Promise<void> {
    soon = null;
    if (added.size > 0 && !isKnown) await beat();
    await add([...added.values()].slice(0, largestWrite));
    const gone = [...ended].slice(0, largestWrite);
    if (gone.length > 0) {
      await database.query(endSql, [gone, now()]);
      for (const id of gone) ended.delete(id);
    }
    if (added.size + ended.size > 0) flushSoon();
  }

  async function add(news: readonly Open[]): Promise<void> {
    if (news.length === 0) return;
    // Whoever leaves from here on has left something.
    for (const { id } of news) added.delete(id);
    const values = [news.map(({ id }) => id), news.map(({ sessionId }) => sessionId), news.map(({ at }) => at)];
    try {
      await database.query(addSql, [instanceId, ...values]);
    } catch (error) {
      for (const one of news) if (open.has(one.id)) added.set(one.id, one);
      throw error;
    }
  }

  const flushSoon = () => {
    soon ??= setTimeout(() => void work(flush), flushMs).unref();
  };

  /** Says that we live. Others may have taken us for dead meanwhile: then all that is open is added anew. */
  async function beat(): Promise<void> {
    const [row] = await database.query<{ isNew: boolean }>(beatSql, [instanceId]);
    if (row?.isNew) for (const one of open.values()) added.set(one.id, one);
    isKnown = true;
    await database.query(forgetDeadSql, []);
    if (added.size + ended.size > 0) flushSoon();
  }

  return {
    /** Files an open connection under its session, until what is answered is called. */
    open(sessionId: string): () => void {
      const one: Open = { id: randomUUID(), sessionId, at: now().toISOString() };
      open.set(one.id, one);
      added.set(one.id, one);
      beating ??= setInterval(() => void work(beat), beatMs).unref();
      flushSoon();
      return () => {
        open.delete(one.id);
        // One that was never written down has left nothing.
        if (!added.delete(one.id)) ended.add(one.id);
        flushSoon();
      };
    },
    /** Says now that this process lives. */
    beat: () => work(beat),
    /** Takes this process with all its connections off the list; to be called when it stops. */
    async end(): Promise<void> {
      if (soon) clearTimeout(soon);
      if (beating) clearInterval(beating);
      await working;
      if (isKnown) await work(() => leave());
    },
  };

  async function leave(): Promise<void> {
    await database.query(endSql, [[...ended, ...open.keys()], now()]);
    await database.query('delete from "ServerInstance" where id = $1', [instanceId]);
  }
});

// What two processes write in another order would make them wait for each other: whoever comes second leaves it out.
const usedSql = `update "ClientSession" s set "lastUsedAt" = due.at from (
    select s.id, date_trunc('minute', u.at) as at from unnest($1::text[], $2::timestamptz[]) u(id, at) join "ClientSession" s on s.id = u.id
    where s."lastUsedAt" < date_trunc('minute', u.at) for update of s skip locked
  ) due where s.id = due.id`;

const beatSql = `insert into "ServerInstance" (id, "beatAt") values ($1, now())
  on conflict (id) do update set "beatAt" = excluded."beatAt" returning xmax = 0 as "isNew"`;

// A session that has just been removed holds up no other.
const addSql = `insert into "ClientConnection" (id, "sessionId", "instanceId", "connectedAt")
  select c.id, s.id, $1, c.at from unnest($2::text[], $3::text[], $4::timestamptz[]) c(id, "sessionId", at)
    join "ClientSession" s on s.id = c."sessionId" for key share of s on conflict (id) do nothing`;

const endSql = `with gone as (delete from "ClientConnection" where id = any($1::text[]) returning "sessionId"),
    used as (select s.id from "ClientSession" s where s.id in (select "sessionId" from gone) and s."lastUsedAt" < $2::timestamptz for update skip locked)
  update "ClientSession" s set "lastUsedAt" = $2 from used where s.id = used.id`;

/** Forgets the processes that were not heard of, with their connections; their clients were there until then. */
export const forgetDeadSql = `with dead as (select i.id, i."beatAt" from "ServerInstance" i where not (${heardOfSql('i."beatAt"')}) for update skip locked),
    last as (select c."sessionId", max(dead."beatAt") as at from dead join "ClientConnection" c on c."instanceId" = dead.id group by c."sessionId"),
    used as (select s.id, last.at from last join "ClientSession" s on s.id = last."sessionId" where s."lastUsedAt" < last.at for update of s skip locked),
    noted as (update "ClientSession" s set "lastUsedAt" = used.at from used where s.id = used.id)
  delete from "ServerInstance" where id in (select id from dead)`;

/** When clients' sessions were last used, to the minute. */
export const sessionsUsed = usesOf('clients', usedSql);
