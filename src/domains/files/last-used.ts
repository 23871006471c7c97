import { usesOf } from '../../core/last-used.js';

// To the minute, so that what is read all the time is not written all the time. What is warm is hot again; what is cold must be brought back first.
const usedSql = `update "FileVersion" v set "lastUsedAt" = due.at, "storageTier" = case v."storageTier" when 'WARM' then 'HOT' else v."storageTier" end from (
    select v.id, u.at from unnest($1::text[], $2::timestamptz[]) u(id, at) join "FileVersion" v on v.id = u.id
    where v."lastUsedAt" < u.at - interval '1 minute' for update of v skip locked
  ) due where v.id = due.id`;

/** When versions were last read. */
export const versionsUsed = usesOf('files', usedSql);
