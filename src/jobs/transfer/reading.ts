import { AppError, badInput } from '../../core/errors.js';
import { endKind, Header } from './format.js';
import { type Importing, Unresolved } from './importer.js';
import { importers } from './kinds.js';
import { type Line, type Lines, linesOf, peekable } from './lines.js';
import { newReport, type Report } from './report.js';

/** What came of reading a file once. */
export interface Pass {
  readonly report: Report;
  /** How many things were made now. */
  readonly made: number;
  /** How many lines name what has not been imported. */
  readonly unresolved: number;
}

/** Imports what the lines of a file hold, unless that has been done, one after the other. `heard` is told where it is, in bytes. */
export async function readOnce(
  importing: Importing,
  body: AsyncIterable<Buffer>,
  heard: (bytes: number) => void,
): Promise<Pass> {
  const lines = peekable(linesOf(body));
  assertHeader(await lines.next());
  const report = newReport();
  let [made, unresolved, isWhole] = [0, 0, false];
  let last: Line | null = null;
  let file: unknown = null;
  for (let line = await lines.next(); line !== null; line = await lines.next()) {
    importing.signal.throwIfAborted();
    heard(line.end);
    last = line;
    isWhole = line.item?.kind === endKind;
    // The bytes of a file that was not to be made, or is there already.
    if (isWhole || (line.item?.kind === 'bytes' && line.item['fileId'] === file)) continue;
    if (line.item?.kind === 'file') file = line.item['id'];
    try {
      if (await importLine(importing, line, lines)) made += 1;
    } catch (error) {
      if (error instanceof Unresolved) unresolved += 1;
      report.add(line, error);
    }
  }
  if (!isWhole) report.add(last ?? firstLine, badInput(endKind, 'is missing: the file is not whole'));
  return { report, made, unresolved };
}

const firstLine: Line = { number: 1, end: 0, item: null, fault: null };

function assertHeader(line: Line | null): void {
  const { success, error } = Header.safeParse(line?.item);
  if (success) return;
  const [issue] = error.issues;
  throw badInput('fileId', `is no export of this version: ${issue?.path.join('.')}: ${issue?.message}`);
}

async function importLine(importing: Importing, { item, number, fault }: Line, lines: Lines): Promise<boolean> {
  if (item === null) throw new AppError('BAD_USER_INPUT', fault ?? '');
  const run = Object.hasOwn(importers, item.kind) ? importers[item.kind] : undefined;
  if (!run) throw badInput('kind', 'is none that can be imported here');
  return run(importing, { item, line: number, lines });
}
