import { perApp } from '../../core/context.js';

const flushMs = 1_000;
const maxWaiting = 10_000;

/** When versions were last read: noted in memory, written down in batches off the path of the answer, never a reason to fail one. */
export const versionsUsed = perApp(({ database, log, now }) => {
  const noted = new Map<string, string>();
  let timer: NodeJS.Timeout | null = null;

  async function flush(): Promise<void> {
    if (timer) clearTimeout(timer);
    timer = null;
    if (noted.size === 0) return;
    const values = [[...noted.keys()], [...noted.values()]];
    noted.clear();
    try {
      await database.query(usedSql, values);
    } catch (error) {
      // The next read is noted again.
      log.warn('Times of last use of files could not be written.', { error });
    }
  }

  return {
    note(id: string): void {
      if (noted.size >= maxWaiting) return;
      noted.set(id, now().toISOString());
      timer ??= setTimeout(flush, flushMs).unref();
    },
    /** Writes down what waits; to be called when the process stops. */
    flush,
  };
});

// To the minute, so that what is read all the time is not written all the time. What is warm is hot again; what is cold must be brought back first.
const usedSql = `update "FileVersion" v set "lastUsedAt" = due.at, "storageTier" = case v."storageTier" when 'WARM' then 'HOT' else v."storageTier" end from (
    select v.id, u.at from unnest($1::text[], $2::timestamptz[]) u(id, at) join "FileVersion" v on v.id = u.id
    where v."lastUsedAt" < u.at - interval '1 minute' for update of v skip locked
  ) due where v.id = due.id`;
