import type { App } from '../core/context.js';
import type { ScheduledJob } from '../core/jobs.js';

/** Jobs by the clock: how often, in minutes. */
const everyMinutes: { readonly [Name in ScheduledJob]: number } = {
  'clean-up': 60,
  'blobs.sweep': 60,
  'blobs.tier': 24 * 60,
  'tasks.expireLeases': 1,
  'chats.expireStreams': 1,
  'search.catchUp': 10,
};

/**
 * Adds the scheduled jobs whose time has come. Any number of processes may ask, as often as they like: each interval of a job is added once, by
 * the database's clock, and a missed one is not made up for.
 */
export async function addScheduled(app: App): Promise<void> {
  await app.database.query(scheduleSql, [JSON.stringify(everyMinutes)]);
}

const scheduleSql = `with due as (
    insert into "JobSchedule" as s (name, slot)
    select name, floor(extract(epoch from now()) / (60 * minutes::int)) from json_each_text($1::json) as j (name, minutes)
    on conflict (name) do update set slot = excluded.slot where s.slot < excluded.slot returning name)
  select canopy_add_jobs((select coalesce(json_agg(json_build_object('name', name, 'payload', json_build_object(), 'key', name)), '[]') from due))`;
