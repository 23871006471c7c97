-- The rows that every system reads and writes. current_setting('bench.nodes') says how many tree nodes the first space has:
-- 1,200 below /catalog and the rest below /teams. The other spaces have a fiftieth of that together. Tasks and notes are as many whatever it says.
-- Ids have the form of the product's, with hexadecimal digits; values are canonical JSON of about 200 bytes.

create schema bench;

create function bench.id(prefix text, number bigint) returns text language sql immutable as
  $$ select prefix || '_' || lpad(to_hex(number), 26, '0') $$;

create function bench.value(number bigint) returns text language sql immutable as $$
  select format('{"active":%s,"amount":%s,"labels":["%s","%s"],"name":"Item %s","notes":"%s","owner":"user-%s"}',
    (number % 3 > 0)::text, number * 37 % 100000, substr(md5(number::text), 1, 8), substr(md5(number::text), 9, 8), number,
    'Made so that rows have the size that rows of a real application have; ' || md5((number + 1)::text), number % 1000)
$$;

insert into "User" (id, handle, name, email)
  select bench.id('user', n), 'user-' || n, 'User ' || n, 'user-' || n || '@example.com' from generate_series(0, 999) n;

insert into "Space" (id, "ownerUserId", slug, name)
  select bench.id('space', n), bench.id('user', n), 'space-' || n, 'Space ' || n from generate_series(0, 99) n;

create function bench.member(space bigint, number bigint) returns text language sql immutable as
  $$ select bench.id('user', case when number = 0 then space else (space * 10 + number * 50) % 1000 end) $$;

-- Each space has its owner and up to 19 others; user 0 is a member of every fifth.
insert into "SpaceMember" ("spaceId", "userId", role)
  select bench.id('space', s), bench.member(s, m), (case when m = 0 then 'OWNER' else 'EDITOR' end)::"SpaceRole"
  from generate_series(0, 99) s, generate_series(0, 19) m
  on conflict do nothing;

-- Each space has 200 tasks and 200 notes by its members. One task in eight is nobody's.
insert into "Task" (id, "spaceId", "ownerId", "assigneeId", type, title, status, progress, "createdAt", "updatedAt")
  select bench.id('task', n), bench.id('space', space), bench.member(space, (place + 1) % 20),
    case when place % 8 < 7 then bench.member(space, place * 7 % 20) end, 'manual', 'Task ' || n,
    ('{PENDING,QUEUED,RUNNING,COMPLETED,FAILED,CANCELLED}'::"TaskStatus"[])[1 + n % 6],
    case n % 6 when 2 then n % 100 when 3 then 100 else 0 end, at, at
  from generate_series(0, 19999) n, lateral (select n % 100 as space, n / 100 as place) x,
    lateral (select timestamptz '2026-01-01T00:00:00Z' + n * interval '17.123 minutes' as at) y;

insert into "Note" (id, "spaceId", "authorId", title, content, "linkStatus")
  select bench.id('note', n), bench.id('space', n % 100), bench.member(n % 100, n / 100 * 3 % 20), 'Note ' || n,
    'Made so that rows have the size that rows of a real application have; ' || md5(n::text) || md5((n + 1)::text), 'READY'
  from generate_series(0, 19999) n;

create temporary table placed as
with sizes as (select current_setting('bench.nodes')::bigint as here, current_setting('bench.nodes')::bigint / 50 as elsewhere)
select n, 0 as space, format('/catalog/section-%s/entry-%s', lpad((n / 100)::text, 2, '0'), lpad((n % 100)::text, 2, '0')) as path
  from generate_series(0, 1199) n
union all
select 1200 + n, 0, format('/teams/team-%s/projects/project-%s/items/item-%s', n % 20, n / 20 % 50, n)
  from sizes, generate_series(0, here - 1201) n
union all
select here + n, 1 + n % 99, format('/pages/section-%s/page-%s', n / 99 % 20, n)
  from sizes, generate_series(0, elsewhere - 1) n;

insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes", "createdById", "updatedById")
select bench.id('node', n), bench.id('space', space), path, regexp_replace(path, '/[^/]*$', ''), regexp_replace(path, '^.*/', ''),
  length(path) - length(replace(path, '/', '')), value::json, 'application/json',
  encode(sha256(convert_to(value, 'UTF8')), 'hex'), octet_length(value), bench.id('user', space), bench.id('user', space)
from placed, bench.value(n) value;

drop table placed;
