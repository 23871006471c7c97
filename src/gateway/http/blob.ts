import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { App } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { typeOfId } from '../../core/ids.js';
import { type Content, contentOfLink, contentOfVersion } from '../../domains/files/content.js';
import { isInert } from '../../domains/files/media-type.js';
import { receivePart } from '../../domains/files/receiving.js';
import type { ByteRange } from '../../platform/blobs/blobs.js';
import { notAllowed } from './refuse.js';
import { type Exchange, sendJson } from './request.js';

/** Answers /api/blob/…: GET and HEAD of the bytes of a file, PUT of the parts of an upload. The address itself says who may. */
export async function answerBlob(app: App, exchange: Exchange): Promise<void> {
  const { request, response, path, search } = exchange;
  const id = path.slice('/api/blob/'.length);
  const query = new URLSearchParams(search);
  const type = typeOfId(id);
  if (type === 'UploadSession') {
    if (request.method !== 'PUT') throw notAllowed(exchange, 'PUT');
    exchange.operation = 'blob.put';
    const length = request.headers['content-length'];
    const part = await receivePart(app, id, query, {
      body: request,
      length: length === undefined ? null : Number(length),
    });
    return sendJson(response, 200, { data: { part } });
  }
  if (type !== 'FileVersion' && type !== 'File') throw new AppError('NOT_FOUND', 'There is nothing at this address.');
  if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed(exchange, 'GET, HEAD');
  exchange.operation = 'blob.get';
  const content = await (type === 'File' ? contentOfLink : contentOfVersion)(app, id, query);
  await sendContent(exchange, content, Number(query.get('expires') ?? 0) - app.now().getTime() / 1_000);
}

async function sendContent({ request, response }: Exchange, content: Content, seconds: number): Promise<void> {
  const { sizeBytes } = content;
  const etag = `"${content.checksum}"`;
  const wanted = wantedOf(request.headers, etag, sizeBytes);
  const isRead = request.method !== 'HEAD' && typeof wanted !== 'string';
  // Before anything is said of it: what cannot be had is refused like everything else, and not kept.
  const body = isRead ? await content.open(wanted.part) : null;
  describe(response, content, seconds);
  response.setHeader('etag', etag);
  response.statusCode = statusOf(wanted);
  if (wanted === 'none') response.setHeader('content-range', `bytes */${sizeBytes}`);
  if (typeof wanted !== 'string') {
    const { from, to } = wanted.part ?? { from: 0, to: sizeBytes - 1 };
    if (wanted.part) response.setHeader('content-range', `bytes ${from}-${to}/${sizeBytes}`);
    response.setHeader('content-length', to - from + 1);
  }
  if (!body) {
    response.end();
    return;
  }
  try {
    await pipeline(body, response);
  } catch (error) {
    // Whoever stops reading in the middle is no failure of ours.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** Nothing that the asker has not; nothing, for there are no such bytes; or all, or a part. */
type Wanted = 'same' | 'none' | { readonly part?: ByteRange };

function wantedOf(headers: IncomingHttpHeaders, etag: string, size: number): Wanted {
  if (matches(headers['if-none-match'], etag)) return 'same';
  const ifRange = headers['if-range'];
  const range = ifRange === undefined || ifRange === etag ? rangeOf(headers.range, size) : 'all';
  if (range === 'none') return 'none';
  return range === 'all' ? {} : { part: range };
}

function statusOf(wanted: Wanted): number {
  if (typeof wanted === 'string') return wanted === 'same' ? 304 : 416;
  return wanted.part ? 206 : 200;
}

/** What keeps a browser from running what somebody has uploaded, and says how long it may keep it. */
function describe(response: ServerResponse, { name, mimeType, isPublic, download }: Content, seconds: number): void {
  const shown = !download && isInert(mimeType);
  response.setHeader('content-type', /^text\//.test(mimeType) ? `${mimeType}; charset=utf-8` : mimeType);
  response.setHeader('content-disposition', `${shown ? 'inline' : 'attachment'}; ${fileNameParameters(name)}`);
  response.setHeader('content-security-policy', "sandbox; default-src 'none'");
  response.setHeader('cross-origin-resource-policy', 'cross-origin');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('accept-ranges', 'bytes');
  const age = Math.max(0, Math.floor(seconds));
  response.setHeader(
    'cache-control',
    age > 0 ? `${isPublic ? 'public' : 'private'}, max-age=${age}` : 'private, no-cache',
  );
}

/** RFC 6266: the name in ASCII for old clients, and as it is. */
function fileNameParameters(name: string): string {
  const ascii = name.replace(/[^ -~]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

const matches = (asked: string | undefined, etag: string) =>
  asked !== undefined &&
  (asked.trim() === '*' || asked.split(',').some((one) => one.trim().replace(/^W\//, '') === etag));

/** The bytes that a Range header asks for: one range is answered, anything else is as if nothing was asked. */
function rangeOf(header: string | undefined, size: number): ByteRange | 'all' | 'none' {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return 'all';
  if (first === '') {
    const count = Math.min(Number(last), size);
    return count === 0 ? 'none' : { from: size - count, to: size - 1 };
  }
  const from = Number(first);
  const to = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < from) return 'all';
  return from >= size ? 'none' : { from, to };
}
