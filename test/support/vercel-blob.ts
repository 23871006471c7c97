import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A refusal as the service words it. */
class Refused extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** How the service behaves: as it should, with an error for each request, or without any answer. */
type Mood = 'well' | 'failing' | 'hanging';

interface Stored {
  readonly pathname: string;
  readonly file: string;
  readonly size: number;
  readonly uploadedAt: string;
}
interface Arriving {
  readonly pathname: string;
  readonly parts: Map<number, { readonly file: string; readonly etag: string }>;
}

const store = 'teststore';
export const vercelToken = `vercel_blob_rw_${store}_secret`;

/**
 * A server that speaks the protocol of Vercel Blob for the vendor's own client, with its objects on the disk. The client tries again by itself `retries`
 * times; as it is shipped, ten times.
 */
export async function vercelBlobServer(retries = 0) {
  const home = await mkdtemp(join(tmpdir(), 'vercel-blob-'));
  const objects = new Map<string, Stored>();
  const uploads = new Map<string, Arriving>();
  let failures = 0;
  let calls = 0;
  let mood: Mood = 'well';
  let origin = '';

  const describe = ({ pathname, size, uploadedAt }: Stored) => {
    const url = `${origin}/${store}.private/${pathname}`;
    const about = {
      contentType: 'application/octet-stream',
      contentDisposition: 'attachment',
      cacheControl: 'private',
    };
    return { url, downloadUrl: url, pathname, size, uploadedAt, etag: '"e"', ...about };
  };

  /** Takes what comes as a file of its own; nothing is kept of what breaks off. */
  async function receive(source: AsyncIterable<Buffer>): Promise<{ file: string; etag: string }> {
    const file = join(home, randomBytes(8).toString('hex'));
    const hash = createHash('md5');
    const hashed = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    };
    try {
      await pipeline(source, hashed, createWriteStream(file));
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    return { file, etag: `"${hash.digest('hex')}"` };
  }

  async function keep(pathname: string, file: string) {
    const name = join(home, createHash('sha256').update(pathname).digest('hex'));
    await rename(file, name);
    const { size } = await stat(name);
    const stored = { pathname, file: name, size, uploadedAt: new Date().toISOString() };
    objects.set(pathname, stored);
    return describe(stored);
  }

  const pathOf = (address: string) => address.replace(`${origin}/${store}.private/`, '');
  function find(address: string): Stored {
    const found = objects.get(pathOf(address));
    if (!found) throw new Refused(404, 'not_found', 'The requested blob does not exist');
    return found;
  }

  async function multipart(request: IncomingMessage, pathname: string) {
    const { 'x-mpu-action': action, 'x-mpu-upload-id': id = '', 'x-mpu-part-number': number } = request.headers;
    if (action === 'create') {
      const uploadId = randomBytes(8).toString('hex');
      uploads.set(uploadId, { pathname, parts: new Map() });
      return { uploadId, key: pathname };
    }
    const upload = uploads.get(`${id}`);
    if (!upload) throw new Refused(404, 'not_found', 'The requested upload does not exist');
    if (action === 'upload') {
      const part = await receive(request);
      upload.parts.set(Number(number), part);
      return { etag: part.etag };
    }
    const asked = (await json(request)) as { partNumber: number; etag: string }[];
    const files = asked.map(({ partNumber, etag }) => {
      const part = upload.parts.get(partNumber);
      if (part?.etag !== etag) throw new Refused(400, 'bad_request', 'A part is not the one that was sent');
      return part.file;
    });
    const { file } = await receive(
      (async function* () {
        for (const one of files) yield* createReadStream(one);
      })(),
    );
    uploads.delete(`${id}`);
    return keep(pathname, file);
  }

  async function api(request: IncomingMessage, url: URL): Promise<unknown> {
    if (failures > 0 && (failures -= 1) >= 0) throw new Refused(503, 'service_unavailable', 'Not now');
    const { searchParams: query } = url;
    const pathname = query.get('pathname') ?? '';
    if (url.pathname.endsWith('/delete')) {
      const { urls } = (await json(request)) as { urls: string[] };
      for (const address of urls) objects.delete(pathOf(address));
      return null;
    }
    if (url.pathname.endsWith('/mpu')) return multipart(request, pathname);
    if (request.method === 'PUT') return keep(pathname, (await receive(request)).file);
    const address = query.get('url');
    if (address !== null) return describe(find(address));
    const limit = Number(query.get('limit') ?? 1_000);
    const from = query.get('cursor') ?? '';
    const found = [...objects.values()]
      .filter(({ pathname: key }) => key.startsWith(query.get('prefix') ?? '') && key > from)
      .sort((a, b) => (a.pathname < b.pathname ? -1 : 1));
    const blobs = found.slice(0, limit).map(describe);
    const hasMore = found.length > limit;
    return { blobs, hasMore, ...(hasMore && { cursor: blobs.at(-1)?.pathname }) };
  }

  function content(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { file, size } = find(`${origin}${url.pathname}`);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const [start, end] = first === undefined ? [0, size - 1] : [Number(first), Number(last)];
    response.writeHead(first === undefined ? 200 : 206, { 'content-length': end - start + 1 });
    return pipeline(createReadStream(file, { start, end }), response);
  }

  const server = createServer(async (request, response) => {
    try {
      const url = new URL(request.url ?? '/', origin);
      if (request.headers.authorization !== `Bearer ${vercelToken}`)
        throw new Refused(403, 'forbidden', 'Access denied');
      calls += 1;
      if (mood === 'hanging') return;
      if (mood === 'failing') throw new Refused(503, 'service_unavailable', 'Not now');
      if (!url.pathname.startsWith('/api/blob')) return await content(request, response, url);
      const answer = await api(request, url);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const { status = 500, code = 'internal_server_error', message } = error as Refused;
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { code, message } }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env['VERCEL_BLOB_API_URL'] = `${origin}/api/blob`;
  process.env['VERCEL_BLOB_RETRIES'] = `${retries}`;
  return {
    /** How it behaves from now on: as it should, with an error for each request, or without any answer. */
    become: (next: Mood) => {
      mood = next;
    },
    /** How many requests have come. */
    calls: () => calls,
    /** Refuses the next calls. */
    fail: (times: number) => {
      failures = times;
    },
    /** How many calls are still to be refused. */
    failures: () => failures,
    async close() {
      delete process.env['VERCEL_BLOB_API_URL'];
      delete process.env['VERCEL_BLOB_RETRIES'];
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(home, { recursive: true });
    },
  };
}

async function json(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}
