import type { Ctx } from '../../core/context.js';
import type { EventRow } from '../../core/events.js';
import { statementNamed } from '../../core/loaders.js';
import { roles } from '../../core/roles.js';
import { viewerSql } from '../../core/sql.js';

/** Things of a space that not all of its members see. */
const discreet = ['File', 'UploadSession'] as const;

/** Leaves out of a space's events those about files and uploads that the viewer may not see; of deleted files, that they might not have seen. */
export async function seenEvents<Event extends Pick<EventRow, 'resourceType' | 'resourceId'>>(
  ctx: Ctx,
  events: readonly Event[],
): Promise<Event[]> {
  const hidden = new Set<string>();
  for (const model of discreet) {
    const ids = new Set(events.filter((event) => event.resourceType === model).map(({ resourceId }) => resourceId));
    if (ids.size === 0) continue;
    const statement = statementNamed(`seen ${model}`, () =>
      viewerSql(model, 1, (visible) => `select t.id from "${model}" t where t.id = any($1::text[]) and ${visible}`),
    );
    const viewer = statement.values(await roles(ctx));
    const seen = await ctx.app.database.query<{ id: string }>(statement.text, [[...ids], ...viewer]);
    for (const { id } of seen) ids.delete(id);
    for (const id of ids) hidden.add(id);
  }
  return events.filter(({ resourceId }) => !hidden.has(resourceId));
}
