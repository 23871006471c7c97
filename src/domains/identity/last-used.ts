import { perApp } from '../../core/context.js';

const flushMs = 1_000;
const maxWaiting = 10_000;

/** When credentials were last used: noted in memory, written down in batches off the path of the answer, never a reason to fail one. */
export const lastUsed = perApp(({ database, log, now }) => {
  const keys = new Map<string, string>();
  const people = new Map<string, string>();
  let timer: NodeJS.Timeout | null = null;

  function note(noted: Map<string, string>, id: string): void {
    if (noted.size >= maxWaiting) return;
    noted.set(id, now().toISOString());
    timer ??= setTimeout(flush, flushMs).unref();
  }

  async function flush(): Promise<void> {
    if (timer) clearTimeout(timer);
    timer = null;
    await save(keysSql, keys);
    await save(peopleSql, people);
  }

  async function save(text: string, noted: Map<string, string>): Promise<void> {
    if (noted.size === 0) return;
    const values = [[...noted.keys()], [...noted.values()]];
    noted.clear();
    try {
      await database.query(text, values);
    } catch (error) {
      // The next use is noted again within a minute.
      log.warn('Times of last use could not be written.', { error });
    }
  }

  return {
    key: (id: string) => note(keys, id),
    signIn: (userId: string) => note(people, userId),
    /** Writes down what waits; to be called when the process stops. */
    flush,
  };
});

// Two processes that write the same rows in another order would wait for each other: whoever comes second leaves them out.
const keysSql = `update "ApiKey" k set "lastUsedAt" = due.at from (
    select k.id, date_trunc('minute', u.at) as at from unnest($1::text[], $2::timestamptz[]) u(id, at) join "ApiKey" k on k.id = u.id
    where k."lastUsedAt" is null or k."lastUsedAt" < date_trunc('minute', u.at) for update of k skip locked
  ) due where k.id = due.id`;

const peopleSql = `update "Profile" p set "lastLoginAt" = due.at from (
    select p."userId", u.at from unnest($1::text[], $2::timestamptz[]) u(id, at) join "Profile" p on p."userId" = u.id
    where p."lastLoginAt" is null or p."lastLoginAt" < u.at - interval '1 hour' for update of p skip locked
  ) due where p."userId" = due."userId"`;
