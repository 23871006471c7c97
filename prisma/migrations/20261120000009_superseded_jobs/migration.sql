-- The queue takes the key of a job that is running, or laid aside, when another with that key is added, and leaves it no attempts: the other does its
-- work. As every job has a key, one of its own where none was given, those without one are the superseded.
create or replace function canopy_add_jobs(jobs json) returns bigint language plpgsql as $$
begin
  return (
    select count(*) from graphile_worker.add_jobs(array(
      select row(j.name, j.payload, null, j."runAt", coalesce(j."maxAttempts", 12), coalesce(j.key, gen_random_uuid()::text), coalesce(j.priority, 0), null)::graphile_worker.job_spec
      from json_to_recordset(jobs) as j (name text, payload json, "runAt" timestamptz, "maxAttempts" smallint, key text, priority smallint)
    ))
  );
end $$;
