import DataLoader from 'dataloader';
import type { Ctx } from '../../core/context.js';
import { loaderNamed } from '../../core/loaders.js';
import type { IndexStatus } from '../../generated/graphql.js';
import { hasText } from '../../platform/text/text.js';
import type { FileRow } from '../files/file.js';

interface Indexed {
  readonly id: string;
  readonly version: number;
  readonly isUnreadable: boolean;
}

/** Whether search knows the text of a file that the viewer sees, in its present version. Those of a page take one statement. */
export async function indexStatusOf(ctx: Ctx, { id, mimeType, version }: FileRow): Promise<IndexStatus> {
  if (!hasText(mimeType)) return 'NONE';
  const indexed = await loaderNamed<Indexed | null>(
    ctx,
    'indexed versions',
    () => new DataLoader((ids) => indexedVersions(ctx, ids)),
  ).load(id);
  if (!indexed || indexed.version < version) return 'PENDING';
  return indexed.isUnreadable ? 'FAILED' : 'READY';
}

async function indexedVersions({ app }: Ctx, ids: readonly string[]): Promise<(Indexed | null)[]> {
  const rows = await app.database.query<Indexed>(
    'select "resourceId" as id, version, "isUnreadable" from "SearchText" where "resourceId" = any($1::text[])',
    [ids],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}
