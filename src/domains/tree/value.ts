import { createHash } from 'node:crypto';
import { AppError } from '../../core/errors.js';
import { canonicalJson } from '../../core/json.js';

export const maxValueBytes = 256 * 1024;

/** A value in its one written form, and what follows from it. */
export interface Sealed {
  /** Canonical JSON (RFC 8785). */
  readonly text: string;
  readonly sizeBytes: number;
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string;
}

/** Checks a value and puts it into canonical form. BAD_USER_INPUT or PAYLOAD_TOO_LARGE name `argument`. */
export function seal(value: unknown, argument = 'value'): Sealed {
  const text = canonicalJson(value, argument);
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > maxValueBytes) {
    throw new AppError('PAYLOAD_TOO_LARGE', `${argument}: ${sizeBytes} bytes, at most ${maxValueBytes} are kept.`, {
      fields: [{ path: argument, message: `must be at most ${maxValueBytes} bytes` }],
    });
  }
  return { text, sizeBytes, checksum: createHash('sha256').update(text).digest('hex') };
}
