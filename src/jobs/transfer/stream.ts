import { typeOfId } from '../../core/ids.js';
import type { SpaceRow } from '../../domains/spaces/space.js';
import { endKind, formatName, formatVersion } from './format.js';
import { sources } from './kinds.js';
import type { Exporting, Source } from './source.js';

/** What has been exported, and what has not. */
export interface Tally extends Pick<Exporting, 'leftOut' | 'leave' | 'leaves'> {
  exported(kind: string): void;
  /** Of such a kind nothing is exported. */
  leaveAll(source: Source): void;
  result(): { readonly exported: Record<string, number>; readonly leftOut: Record<string, number> };
}

export function newTally(): Tally {
  const counts = { exported: new Map<string, number>(), leftOut: new Map<string, number>() };
  const left = { ids: new Set<string>(), types: new Set<string | null>() };
  const counting = (counted: Map<string, number>) => (kind: string) => {
    counted.set(kind, (counted.get(kind) ?? 0) + 1);
  };
  const leftOut = counting(counts.leftOut);
  return {
    exported: counting(counts.exported),
    leftOut,
    leave: (id) => void left.ids.add(id),
    leaves: (id) => left.ids.has(id) || left.types.has(typeOfId(id)),
    leaveAll({ kind, type }) {
      leftOut(kind);
      left.types.add(type);
    },
    result: () => ({ exported: Object.fromEntries(counts.exported), leftOut: Object.fromEntries(counts.leftOut) }),
  };
}

/** The lines of an export as they are read, said once they are counted. Nothing of them is kept. */
export async function* textOf(
  exporting: Exporting,
  { name, slug, visibility }: Pick<SpaceRow, 'name' | 'slug' | 'visibility'>,
  tally: Tally,
  report: (progress: number) => void,
): AsyncGenerator<Buffer> {
  const { ctx, signal } = exporting;
  const header = {
    format: formatName,
    version: formatVersion,
    exportedAt: ctx.app.now(),
    space: { name, slug, visibility },
  };
  yield lineOf(header);
  const readable = sources.filter((source) => mayRead(exporting, source));
  for (const source of sources) if (!readable.includes(source)) tally.leaveAll(source);
  let total = 0;
  for (const source of readable) total += await source.total(exporting);
  let done = 0;
  let items = 0;
  for (const source of readable)
    for await (const item of source.items(exporting)) {
      signal.throwIfAborted();
      items += 1;
      if (item.kind === source.kind) {
        tally.exported(item.kind);
        done += 1;
        report(Math.min(99, Math.floor((100 * done) / Math.max(total, done + 1))));
      }
      yield lineOf(item);
    }
  yield lineOf({ kind: endKind, items });
}

const lineOf = (value: object) => Buffer.from(`${JSON.stringify(value)}\n`);

/** What a key may not read stays out of what it exports. */
function mayRead({ ctx: { viewer } }: Exporting, { scopes }: Source): boolean {
  return viewer !== null && (viewer.scopes === null || scopes.some((scope) => viewer.scopes?.has(scope)));
}
