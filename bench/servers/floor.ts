import { createServer, type IncomingMessage } from 'node:http';
import pg from 'pg';
import { viewerId } from '../operations.js';

/**
 * The least that a server over this database can cost: Node's own HTTP server and one prepared statement for each
 * operation, which answers the JSON text. It knows no GraphQL; it looks at the name and the variables of a request.
 */
const node = `('{"path":' || to_json(path) || ',"value":' || value || ',"version":' || version || '}')`;

const statements: Readonly<Record<string, string>> = {
  Read: `select '{"data":{"treeNode":' || ${node} || '}}' as body
    from "TreeNode" where "spaceId" = $1::json->>'spaceId' and path = $1::json->>'path' and "deletedAt" is null`,
  Nested: `select json_build_object('data', json_build_object('space', json_build_object('name', s.name, 'tasks', json_build_object('nodes', (
      select coalesce(json_agg(json_build_object('id', t.id, 'title', t.title, 'status', t.status, 'progress', t.progress, 'createdAt', t."createdAt",
        'assignee', case when u.id is not null then json_build_object('id', u.id, 'name', u.name) end) order by t."createdAt" desc, t.id desc), '[]')
      from (select * from "Task" where "spaceId" = s.id order by "createdAt" desc, id desc limit 20) t left join "User" u on u.id = t."assigneeId")))))::text as body
    from "Space" s where s.id = $1::json->>'id' and s."deletedAt" is null`,
  Wide: `select json_build_object('data', json_build_object('viewer', json_build_object('spaces', json_build_object('nodes',
      json_agg(json_build_object('name', s.name, 'tasks', tasks, 'notes', notes) order by s.id desc)))))::text as body
    from (select s.id, s.name from "SpaceMember" m join "Space" s on s.id = m."spaceId"
      where m."userId" = '${viewerId}' and s."deletedAt" is null and $1::json is not null order by s.id desc limit 10) s
    cross join lateral (select json_build_object('nodes', coalesce(json_agg(json_build_object('title', t.title,
        'assignee', case when u.id is not null then json_build_object('name', u.name) end) order by t."createdAt" desc, t.id desc), '[]')) as tasks
      from (select * from "Task" where "spaceId" = s.id order by "createdAt" desc, id desc limit 10) t left join "User" u on u.id = t."assigneeId") t
    cross join lateral (select json_build_object('nodes', coalesce(json_agg(json_build_object('title', n.title,
        'author', case when u.id is not null then json_build_object('name', u.name) end) order by n.id desc), '[]')) as notes
      from (select * from "Note" where "spaceId" = s.id order by id desc limit 10) n left join "User" u on u.id = n."authorId") n`,
  Write: `select '{"data":{"writeTreeNode":{"treeNode":' || ${node} || '}}}' as body
    from bench.write_tree_node($1::json->'input'->>'spaceId', $1::json->'input'->>'path', $1::json->'input'->'value')`,
  Subtree: `with asked as materialized (
      select $1::json->>'spaceId' as space, $1::json->>'pathPrefix' as prefix, ($1::json->>'first')::int as first
    ), found as materialized (
      select n.path, ${node} as text, row_number() over (order by path) as position
      from asked cross join lateral (
        (select path, value, version from "TreeNode" where "spaceId" = space and path = prefix and "deletedAt" is null)
        union all
        (select path, value, version from "TreeNode"
          where "spaceId" = space and path > prefix || '/' and path < prefix || '0' and "deletedAt" is null
          order by path limit first + 1)
        order by path limit first + 1) n
    )
    select '{"data":{"tree":{"nodes":[' || string_agg(text, ',' order by position) filter (where position <= first)
      || '],"pageInfo":{"hasNextPage":' || (max(position) > first)::text
      || ',"endCursor":' || to_json(max(path) filter (where position <= first)) || '}}}}' as body
    from found, asked group by first`,
  Batch: `select '{"data":{"batchTree":{"results":[' || string_agg('{"status":"' || status || '","path":' || to_json(path)
      || ',"exists":' || "exists"::text || ',"value":' || value || ',"version":' || version || '}', ',') || ']}}}' as body
    from bench.batch_tree($1::json->'input'->>'spaceId',
      array(select json_populate_record(null::bench.batch_tree_operation, one)
        from json_array_elements($1::json->'input'->'operations') one))`,
};

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });

async function answer(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  const { operationName, variables } = JSON.parse(text) as { operationName: string; variables: object };
  const statement = statements[operationName];
  if (!statement) throw new Error(`There is no operation ${operationName}.`);
  const { rows } = await pool.query<{ body: string }>({
    name: operationName,
    text: statement,
    values: [JSON.stringify(variables)],
  });
  return rows[0]?.body ?? '{"data":null}';
}

createServer((request, response) => {
  answer(request).then(
    (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    (error: unknown) =>
      response
        .writeHead(500, { 'content-type': 'application/json' })
        .end(JSON.stringify({ errors: [{ message: String(error) }] })),
  );
}).listen(Number(process.env['PORT']), '127.0.0.1');
