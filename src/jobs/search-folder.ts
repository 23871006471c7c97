import type { App } from '../core/context.js';
import type { Indexed } from '../core/index-jobs.js';
import { addJobs, type Jobs, job } from '../core/jobs.js';
import { searchedSql, sources } from '../domains/search/sources.js';
import { below } from '../domains/tree/path.js';
import { indexAll } from './search-upkeep.js';

const pageSize = 500;

/**
 * Indexes the files at any depth of a folder that has moved, for their paths are searched. A page at a time, each the next one's reason; where the folder moves
 * on meanwhile, from the same file on.
 */
export async function indexFolder(app: App, payload: Jobs['search.indexFolder']): Promise<void> {
  const { spaceId, folderId, version, after } = payload;
  const [folder] = await app.database.query<{ path: string }>('select path from "Folder" where id = $1', [folderId]);
  if (!folder) return;
  const { from, to } = below(folder.path);
  const found = await app.database.query<Indexed & { path: string }>(
    `select 'File' as type, t.id, t."spaceId", t.path from "File" t
      where ${searchedSql(sources.FILE, 't."spaceId" = $1', 't.path > $2', 't.path < $3')} order by t.path limit ${pageSize}`,
    [spaceId, `${from}${after}`, to],
  );
  await indexAll(app, found);
  const last = found.at(-1);
  if (!last || found.length < pageSize) return;
  await addJobs(app.database.query, [folderJob({ spaceId, folderId, version, after: last.path.slice(from.length) })]);
}

const folderJob = (payload: Jobs['search.indexFolder']) =>
  job('search.indexFolder', payload, { key: `search below ${payload.folderId} ${payload.version}` });
