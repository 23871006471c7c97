import { AppError } from '../../core/errors.js';
import { outage } from '../../platform/database/outage.js';
import type { Line } from './lines.js';

/** How many failures are told of one by one. */
const maxTold = 100;
const longestKind = 100;
const longestMessage = 300;
/** A file of which so many lines fail is none that goes on being read. */
const maxFailed = 100_000;

/** A line that was not imported. */
export interface Failure {
  readonly line: number;
  readonly kind: string | null;
  readonly code: string;
  readonly message: string;
}

/** What becomes of the lines of a file. */
export interface Report {
  readonly failed: readonly Failure[];
  readonly failedCount: number;
  add(line: Line, error: unknown): void;
}

/** A report of lines that fail by themselves; what would fail every line, or may pass, is thrown on. */
export function newReport(): Report {
  const failed: Failure[] = [];
  let failedCount = 0;
  return {
    failed,
    get failedCount() {
      return failedCount;
    },
    add({ number, item }, error) {
      const { code, message } = reasonOf(error);
      failedCount += 1;
      if (failedCount > maxFailed)
        throw new AppError('BAD_USER_INPUT', `More than ${maxFailed} lines could not be imported.`);
      if (failed.length < maxTold)
        failed.push({ line: number, kind: item && plain(item.kind, longestKind), code, message });
    },
  };
}

function reasonOf(error: unknown): Pick<Failure, 'code' | 'message'> {
  if (error instanceof AppError && !concernsAll(error)) return { code: error.code, message: worded(error) };
  if (outage(error) === 'text' || /^2[23]/.test(`${(error as { code?: unknown } | null)?.code}`))
    return { code: 'BAD_USER_INPUT', message: 'It holds what the database does not keep.' };
  throw error;
}

/** Whether the next line would fare no better, or this one may do so later. */
const concernsAll = ({ code, details }: AppError) =>
  details.retryable === true ||
  ['UNAUTHENTICATED', 'SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT', 'OVERLOADED', 'INTERNAL_SERVER_ERROR'].includes(code);

function worded({ message, details }: AppError): string {
  const fields = details.fields?.map((field) => `${field.path}: ${field.message}`).join('; ');
  return plain(fields || message, longestMessage);
}

/** Text out of a file as it can be kept and told. */
const plain = (text: string, longest: number) => text.replaceAll('\u0000', '').slice(0, longest).toWellFormed();
