import { subtree } from '../../domains/tree/loaders.js';
import type { TreeNodeRow } from '../../domains/tree/node.js';
import { parsePath } from '../../domains/tree/path.js';
import { seal } from '../../domains/tree/value.js';
import { JsonText } from '../../platform/database/database.js';
import type { Runner } from './runner.js';

const pageSize = 100;
/** How many differences are told of one by one. */
const maxTold = 100;

interface Difference {
  readonly path: string;
  readonly version: number;
  /** What is kept of the value. */
  readonly checksum: string;
  /** What the value makes. */
  readonly actual: string;
}

/** Works out the checksum of every value at and below a path anew, and tells which are not what is kept of them. */
export const verifyTree: Runner<'tree.checksum'> = async (_, { spaceId, parameters }, { ctx, signal, report }) => {
  const prefix = parsePath(parameters.pathPrefix, 'pathPrefix');
  const differences: Difference[] = [];
  let checked = 0;
  let differing = 0;
  let total = 0;
  let after: string | null = null;
  do {
    signal.throwIfAborted();
    ctx.epoch.current = {};
    const page = await subtree(ctx, spaceId, prefix, null, { first: pageSize, after });
    if (after === null) total = await page.total();
    for (const { path, version, checksum, value } of page.rows) {
      const actual = checksumOf(value);
      if (actual === checksum) continue;
      differing += 1;
      if (differences.length < maxTold) differences.push({ path, version, checksum, actual });
      report(null, `${path} is not what its checksum says.`);
    }
    checked += page.rows.length;
    // The total is counted up to 10,000 only.
    report(Math.min(99, Math.floor((100 * checked) / Math.max(total, checked + 1))));
    after = endOf(page);
  } while (after !== null);
  return { result: { checked, differing, differences } };
};

type PageOfNodes = Awaited<ReturnType<typeof subtree>>;

function endOf(page: PageOfNodes): string | null {
  const last: TreeNodeRow | undefined = page.rows.at(-1);
  return page.hasNextPage && last ? page.cursorOf(last) : null;
}

const checksumOf = (value: unknown): string => seal(value instanceof JsonText ? value.toJSON() : value).checksum;
