-- What somebody who keeps the tree behind PostGraphile would write: one function for each change. The floor calls them too.

create function bench.write_tree_node(space_id text, path text, value json) returns "TreeNode" language plpgsql volatile as $$
#variable_conflict use_column
declare
  node "TreeNode";
begin
  insert into "TreeNode" as t (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes")
  values ('node_0' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 25), $1, $2,
    regexp_replace($2, '/[^/]*$', ''), regexp_replace($2, '^.*/', ''), length($2) - length(replace($2, '/', '')),
    $3, 'application/json', encode(sha256(convert_to($3::text, 'UTF8')), 'hex'), octet_length($3::text))
  on conflict ("spaceId", path) where "deletedAt" is null do update
    set value = excluded.value, checksum = excluded.checksum, "sizeBytes" = excluded."sizeBytes", version = t.version + 1, "updatedAt" = now()
  returning t.* into node;
  insert into "TreeNodeVersion" ("nodeId", version, "spaceId", path, value, "contentType", checksum, "sizeBytes", operation)
  values (node.id, node.version, node."spaceId", node.path, node.value, node."contentType", node.checksum, node."sizeBytes", 'WRITE');
  return node;
end
$$;

create type bench.batch_write as (path text, value json);
create type bench.batch_read as (path text);
create type bench.batch_tree_operation as (write bench.batch_write, read bench.batch_read);
create type bench.batch_tree_result as (status text, path text, "exists" boolean, value json, version integer);

create function bench.batch_tree(space_id text, operations bench.batch_tree_operation[]) returns setof bench.batch_tree_result
language plpgsql volatile as $$
declare
  operation bench.batch_tree_operation;
  node "TreeNode";
begin
  foreach operation in array operations loop
    if (operation.write).path is not null then
      node := bench.write_tree_node(space_id, (operation.write).path, (operation.write).value);
      return next ('APPLIED', node.path, true, node.value, node.version)::bench.batch_tree_result;
    else
      select t.* into node from "TreeNode" t where t."spaceId" = space_id and t.path = (operation.read).path and t."deletedAt" is null;
      return next ('APPLIED', (operation.read).path, found, node.value, node.version)::bench.batch_tree_result;
    end if;
  end loop;
end
$$;

comment on function bench.batch_tree is E'@name batch_tree\n@resultFieldName results';
comment on function bench.write_tree_node is E'@name write_tree_node\n@resultFieldName treeNode';
