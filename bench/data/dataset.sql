-- The rows that every system reads and writes. current_setting('bench.nodes') says how many tree nodes the first space has:
-- 1,200 below /catalog and the rest below /teams. The other spaces have a fiftieth of that together.
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

-- Each space has its owner and 19 others; user 0 is a member of every tenth.
insert into "SpaceMember" ("spaceId", "userId", role)
  select bench.id('space', s), bench.id('user', case when m = 0 then s else (s * 10 + m * 50) % 1000 end),
    (case when m = 0 then 'OWNER' else 'EDITOR' end)::"SpaceRole"
  from generate_series(0, 99) s, generate_series(0, 19) m
  on conflict do nothing;

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
