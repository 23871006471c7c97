import DataLoader from 'dataloader';
import { type Ctx, perApp } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import { type List, readList } from '../../core/lists.js';
import { loaderNamed, statementNamed } from '../../core/loaders.js';
import { countLimit, type Order, type Page, type PageArgs, windowOf } from '../../core/page.js';
import { columnsOf, type Selection } from '../../core/reading.js';
import type { Related } from '../../core/related.js';
import { roles } from '../../core/roles.js';
import { viewerSql } from '../../core/sql.js';
import { ask } from '../../core/together.js';
import { largestPage, type TreeNodeRow, type TreeNodeVersionRow, treeNodeShape, treeNodeVersionShape } from './node.js';
import { below, depthOf, maxSegments } from './path.js';

/** Nodes one level below a path, by name. */
export const childrenOf: Related<TreeNodeRow> = {
  shape: treeNodeShape,
  keys: ['spaceId', 'parentPath'],
  order: { columns: ['name'], direction: 'asc' },
  largest: largestPage,
};

/** Versions of a node, the latest first. */
export const versionsOf: Related<TreeNodeVersionRow> = {
  shape: treeNodeVersionShape,
  keys: ['nodeId'],
  order: { columns: ['version'], direction: 'desc' },
};

/** The node at a path of a space, or null. All paths of one space that are asked for in one moment take one statement. */
export async function nodeAt(ctx: Ctx, spaceId: string, path: string, at?: Selection): Promise<TreeNodeRow | null> {
  const columns = columnsOf(treeNodeShape, at, ['path']);
  // All who have a role in a space see the same nodes, so they can share a statement. Readers of a public space cannot: it may be closed by now.
  if ((await roles(ctx)).spaces.has(spaceId)) return sharedReads(ctx.app).load({ spaceId, path, columns });
  const name = `nodes of ${spaceId}: ${columns.join()}`;
  return loaderNamed<TreeNodeRow | null>(
    ctx,
    name,
    () => new DataLoader((paths) => visibleNodes(ctx, spaceId, paths, columns)),
  ).load(path);
}

const selectNodes = (columns: readonly string[], visible: string) =>
  `select ${columns.map((column) => `t."${column}"`).join(', ')} from "TreeNode" t
    where t."spaceId" = $1::text and t.path = any($2::text[]) and t."deletedAt" is null and ${visible}`;

async function visibleNodes(ctx: Ctx, spaceId: string, paths: readonly string[], columns: readonly string[]) {
  const statement = statementNamed(`visible nodes ${columns.join()}`, () =>
    viewerSql('TreeNode', 2, (visible) => selectNodes(columns, visible)),
  );
  const values = statement.values(await roles(ctx), spaceId);
  return inOrder(paths, await ask<TreeNodeRow>(ctx, statement.text, [spaceId, paths, ...values]));
}

function inOrder(paths: readonly string[], rows: readonly TreeNodeRow[]): (TreeNodeRow | null)[] {
  const byPath = new Map(rows.map((row) => [row.path, row]));
  return paths.map((path) => byPath.get(path) ?? null);
}

interface NodeRead {
  readonly spaceId: string;
  readonly path: string;
  readonly columns: readonly string[];
}

/** Reads of one turn of the event loop, of any number of operations, by space and columns. Nothing is remembered past it. */
const sharedReads = perApp(({ database }) => {
  const groups = new Map<string, DataLoader<string, TreeNodeRow | null>>();
  return {
    load({ spaceId, path, columns }: NodeRead): Promise<TreeNodeRow | null> {
      const name = `${spaceId} ${columns.join()}`;
      let group = groups.get(name);
      if (!group) {
        const text = selectNodes(columns, 'true');
        const fetch = async (paths: readonly string[]) =>
          inOrder(paths, await database.query<TreeNodeRow>(text, [spaceId, paths]));
        // From here on the group is full; who comes now begins the next.
        const batchScheduleFn = (dispatch: () => void) =>
          setImmediate(() => {
            groups.delete(name);
            dispatch();
          });
        groups.set(name, (group = new DataLoader(fetch, { batchScheduleFn, maxBatchSize: 500 })));
      }
      return group.load(path);
    },
  };
});

const byPath: Order = { columns: ['path'], direction: 'asc' };

/** One page of the nodes at and below a path, by path. */
export function subtree(
  ctx: Ctx,
  spaceId: string,
  prefix: string,
  depth: number | null | undefined,
  args: PageArgs,
  at?: Selection,
): Promise<Page<TreeNodeRow>> {
  if (depth != null && (!Number.isInteger(depth) || depth < 0 || depth > maxSegments))
    throw badInput('depth', `must be between 0 and ${maxSegments}`);
  const title = `tree ${spaceId} ${prefix} ${depth ?? ''}`;
  const window = windowOf(args, byPath, title, largestPage);
  const { from, to } = below(prefix);
  const levels = depth == null ? [] : [Array.from({ length: depth }, (_, level) => depthOf(prefix) + level + 1)];
  const list: List<TreeNodeRow> = {
    shape: treeNodeShape,
    name: `${depth == null ? 'subtree' : 'levels'} ${window.backwards ? 'from its end' : ''}`,
    from: (depth == null ? wholeSubtree : levelsOfSubtree)(window.backwards ? 'desc' : 'asc'),
    where: 'true',
    values: [
      spaceId,
      prefix,
      from,
      to,
      window.after?.[0] ?? from,
      window.before?.[0] ?? to,
      window.size + 1,
      ...levels,
    ],
    whole: [spaceId, prefix, from, to, from, to, countLimit, ...levels],
    order: byPath,
    within: spaceId,
  };
  return readList(ctx, list, window, title, at);
}

const live = `from "TreeNode" where "spaceId" = $1 and "deletedAt" is null`;
// The prefix itself may be the cursor, and lies before all that is below it.
const low = `greatest($3::text collate "C", $5::text)`;
const high = `least($4::text collate "C", $6::text)`;

// Two ranges of one index: a path and what lies below it are not next to each other by bytes, `/a-b` stands between.
// Each is cut to the page where it is read, or all of it would be read and sorted for every page.
const wholeSubtree = (direction: 'asc' | 'desc') => `(select * ${live} and path = $2 union all
  (select * ${live} and path > ${low} and path < ${high} order by path ${direction} limit $7)) t`;

// Rows are compared with the depth in front, which the index over depth and path serves and no other.
const levelsOfSubtree = (direction: 'asc' | 'desc') => `(select * ${live} and path = $2 union all
  select n.* from unnest($8::int[]) level(depth) cross join lateral (
    select * ${live} and ("TreeNode".depth, path) > (level.depth, ${low}) and ("TreeNode".depth, path) < (level.depth, ${high})
    order by "TreeNode".depth ${direction}, path ${direction} limit $7) n) t`;
