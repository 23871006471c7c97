import type { RunnerTypeName } from '../../domains/tasks/runners.js';
import type { Runner } from './runner.js';
import { reindexSpace } from './search-reindex.js';
import { exportSpace } from './space-export.js';
import { importSpace } from './space-import.js';
import { verifyTree } from './tree-checksum.js';

/** The code of each registered type of task. */
export const runners: { readonly [Type in RunnerTypeName]: Runner<Type> } = {
  'tree.checksum': verifyTree,
  'space.export': exportSpace,
  'space.import': importSpace,
  'search.reindex': reindexSpace,
};
