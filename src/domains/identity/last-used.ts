import { perApp } from '../../core/context.js';
import { usesOf } from '../../core/last-used.js';

// Two processes that write the same rows in another order would wait for each other: whoever comes second leaves them out.
const keysSql = `update "ApiKey" k set "lastUsedAt" = due.at from (
    select k.id, date_trunc('minute', u.at) as at from unnest($1::text[], $2::timestamptz[]) u(id, at) join "ApiKey" k on k.id = u.id
    where k."lastUsedAt" is null or k."lastUsedAt" < date_trunc('minute', u.at) for update of k skip locked
  ) due where k.id = due.id`;

const peopleSql = `update "Profile" p set "lastLoginAt" = due.at from (
    select p."userId", u.at from unnest($1::text[], $2::timestamptz[]) u(id, at) join "Profile" p on p."userId" = u.id
    where p."lastLoginAt" is null or p."lastLoginAt" < u.at - interval '1 hour' for update of p skip locked
  ) due where p."userId" = due."userId"`;

const keysUsed = usesOf('API keys', keysSql);
const peopleUsed = usesOf('accounts', peopleSql);

/** When credentials were last used. */
export const lastUsed = perApp((app) => ({
  key: keysUsed(app).note,
  signIn: peopleUsed(app).note,
  /** Writes down what waits; to be called when the process stops. */
  async flush(): Promise<void> {
    await keysUsed(app).flush();
    await peopleUsed(app).flush();
  },
}));
