import type { z } from 'zod';
import { decideFor } from '../../core/access.js';
import type { SpaceActionName } from '../../core/actions.js';
import type { Ctx } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { type Tx, write } from '../../core/write.js';
import { noteObject, objectsMade } from '../../domains/tasks/object.js';
import type { Item } from './format.js';
import type { Lines } from './lines.js';

/** What is imported, for whom. */
export interface Importing {
  readonly ctx: Ctx;
  readonly taskId: string;
  readonly spaceId: string;
  readonly signal: AbortSignal;
  /** The links of notes come along, and are all there will be. */
  readonly withLinks: boolean;
}

/** One line that is to become something; `lines` are those behind it. */
export interface Incoming {
  readonly item: Item;
  readonly line: number;
  readonly lines: Lines;
}

/** Imports what is of one kind, unless that has been done; answers whether it was done now. */
export type Importer = (importing: Importing, incoming: Incoming) => Promise<boolean>;

/** New ids by those of the export. */
export type NewIds = ReadonlyMap<string, string>;

interface Rules<Given extends z.ZodType> {
  readonly rules: Given;
  readonly action: SpaceActionName;
  /** The line's own name; of no other line of its file. */
  key(given: z.output<Given>): string;
  /** What it names and cannot do without. */
  needs?(given: z.output<Given>): readonly string[];
  /** What it names and can do without. */
  mentions?(given: z.output<Given>): readonly string[];
  /** Outside of the transaction and before it: what `add` works with. */
  add(tx: Tx, given: z.output<Given>, ids: NewIds, importing: Importing): Promise<string>;
}

/** Imports each thing in one transaction, together with the note that it has been done. */
export function importer<Given extends z.ZodType>(spec: Rules<Given>): Importer {
  return async (importing, { item, line }) => {
    const given = parse(spec.rules, item);
    const key = spec.key(given);
    const needs = spec.needs?.(given) ?? [];
    const ids = await idsOf(importing, key, line, [...needs, ...(spec.mentions?.(given) ?? [])]);
    if (ids === null) return false;
    for (const id of needs) if (!ids.has(id)) throw new Unresolved(id);
    await assertAllowed(importing, spec.action);
    await write(importing.ctx, spec.action, { space: importing.spaceId }, async (tx) => {
      const objectId = await spec.add(tx, given, ids, importing);
      await noteObject(tx, importing.taskId, { key, kind: item.kind, line, objectId });
    });
    return true;
  };
}

/** The new ids of what is named; null when the line itself has been imported before. */
export async function idsOf(
  { ctx, taskId }: Importing,
  key: string,
  line: number,
  named: readonly string[],
): Promise<NewIds | null> {
  const made = await objectsMade(ctx.app, taskId, [key, ...named]);
  const own = made.find((one) => one.key === key);
  if (own && own.line !== line) throw new AppError('CONFLICT', `Line ${own.line} has that id already.`);
  return own ? null : new Map(made.map((one) => [one.key, one.objectId]));
}

/** Throws what `write` would, without a word in the audit log for every line. */
export async function assertAllowed({ ctx, spaceId }: Importing, action: SpaceActionName): Promise<void> {
  const { allowed, code, rule } = await decideFor(ctx, action, { space: spaceId });
  if (!allowed) throw new AppError(code ?? 'FORBIDDEN', rule);
}

/** A line names something that has not been imported; it may come later in the file. */
export class Unresolved extends AppError {
  constructor(id: string) {
    super('NOT_FOUND', `It belongs to ${id}, which is not imported.`);
  }
}
