import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { AppError } from '../../core/errors.js';
import { isObject } from '../../core/json.js';

/** The largest body of a request; uploads go elsewhere. */
export const maxBodyBytes = 1024 * 1024;

/** The body as text. Counts as it streams, after decompression too; PAYLOAD_TOO_LARGE past the bound. */
export async function readBody(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge();
  const bytes = await collect(request, decoderOf(request));
  if (!isUtf8(bytes)) throw new AppError('BAD_REQUEST', 'The body is not UTF-8.');
  return bytes.toString();
}

function collect(request: IncomingMessage, decoder: Transform | null): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const source = decoder ? request.pipe(decoder) : request;
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBodyBytes) fail(tooLarge());
      else chunks.push(chunk);
    };
    const fail = (error: Error) => {
      source.off('data', take);
      if (decoder) request.unpipe(decoder);
      decoder?.destroy();
      reject(error);
    };
    source.on('data', take);
    source.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', fail);
    request.on(
      'close',
      () => request.complete || fail(new Error('The client went away in the middle of its request.')),
    );
    decoder?.on('error', () => fail(new AppError('BAD_REQUEST', 'The body is not what Content-Encoding says.')));
  });
}

function decoderOf(request: IncomingMessage): Transform | null {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  switch (encoding) {
    case 'identity':
      return null;
    case 'gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Content-Encoding must be gzip, deflate, br or identity.');
  }
}

const tooLarge = () => new AppError('PAYLOAD_TOO_LARGE', `A request may have at most ${maxBodyBytes} bytes.`);

const json = /^application\/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i;

/** Refuses every content type but JSON in UTF-8: what a web page can send elsewhere without asking is not among them. */
export function assertJson(request: IncomingMessage): void {
  if (json.test(request.headers['content-type'] ?? '')) return;
  throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Content-Type must be application/json with charset utf-8.');
}

/** The text as a JSON object; BAD_REQUEST for anything else. */
export function parseObject(text: string, what = 'The body'): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new AppError('BAD_REQUEST', `${what} is not JSON.`);
  }
  if (isObject(value)) return value;
  throw new AppError('BAD_REQUEST', `${what} must be one JSON object; batches are not taken.`);
}
