import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../generated/graphql.js';

/** A refusal where there is no response to write to: of bytes that are no HTTP, and of upgrades. */
export interface RawRefusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly requestId?: string;
}

/** Writes the refusal in the product's form, then closes the connection. */
export function refuseRaw(socket: Duplex, { status, code, message, requestId = randomUUID() }: RawRefusal): void {
  // A peer that is gone has nothing to be told; without a listener its error would end the process.
  socket.on('error', () => socket.destroy());
  if (!socket.writable) return void socket.destroy();
  const body = `${JSON.stringify({ errors: [{ message, extensions: { code, requestId } }] })}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    `x-request-id: ${requestId}`,
    ...(status === 503 ? ['retry-after: 1'] : []),
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** Answers what Node's parser refuses. */
export function refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET') socket.destroy();
  else refuseRaw(socket, refusals[`${error.code}`] ?? notHttp);
}

const notHttp: RawRefusal = { status: 400, code: 'BAD_REQUEST', message: 'This is not HTTP/1.1.' };
const refusals: Readonly<Record<string, RawRefusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'BAD_REQUEST', message: 'The headers may have at most 16 KiB.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'BAD_REQUEST', message: 'The request took too long to arrive.' },
};
