create table "JobSchedule" (
  name text not null,
  slot bigint not null,
  constraint "JobSchedule_pkey" primary key (name)
);

-- Up to where the event log has been read for the jobs that follow from it behind its changes; one row.
create table "LogReader" (
  name text not null,
  txid bigint not null default 0,
  seq bigint not null default 0,
  constraint "LogReader_pkey" primary key (name)
);
insert into "LogReader" (name) values ('jobs');

-- Jobs as core says them, into the queue of graphile-worker, whose tables are made after these migrations. Answers how many.
create function canopy_add_jobs(jobs json) returns bigint language plpgsql as $$
begin
  return (
    select count(*) from graphile_worker.add_jobs(array(
      select row(j.name, j.payload, null, j."runAt", coalesce(j."maxAttempts", 12), j.key, coalesce(j.priority, 0), null)::graphile_worker.job_spec
      from json_to_recordset(jobs) as j (name text, payload json, "runAt" timestamptz, "maxAttempts" smallint, key text, priority smallint)
    ))
  );
end $$;

-- Lets jobs that failed for good start over; of one space when it is given. Answers how many did.
create function canopy_replay_jobs(ids bigint[], "ofSpace" text default null) returns bigint language plpgsql as $$
declare
  replayed bigint;
begin
  update graphile_worker._private_jobs set attempts = 0, run_at = now(), updated_at = now()
    where id = any(ids) and attempts >= max_attempts and locked_at is null and ("ofSpace" is null or payload->>'spaceId' = "ofSpace");
  get diagnostics replayed = row_count;
  return replayed;
end $$;
