import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import type { DemoWorld } from '../graphiql/demo-world.js';

export type { DemoWorld };

interface GraphiqlOptions {
  /** Where the bundle is: index.html and assets/. */
  readonly directory: string;
  readonly enabled: boolean;
  /** Null when this server has no demo world. */
  readonly demo: () => Promise<DemoWorld | null>;
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

const encodings = [
  { name: 'br', extension: '.br' },
  { name: 'gzip', extension: '.gz' },
] as const;

const secured = {
  // Monaco writes style elements; everything else comes from this origin and no text is ever evaluated.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; " +
    "font-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * Serves the GraphiQL page, its assets and the accounts of the demo world; `/` leads there. Answers false, with nothing sent, for what
 * is not there: every path when it is not enabled, other methods than GET and HEAD, and demo.json without a demo world.
 */
export function graphiqlHandler({ directory, enabled, demo }: GraphiqlOptions) {
  const assets = join(directory, 'assets');
  let listed: ReadonlySet<string> | null = null;
  // Only names that were listed are ever opened, so no path can lead out of the directory.
  const names = () => {
    listed ??= new Set(readdirSync(assets));
    return listed;
  };

  return async (req: IncomingMessage, res: ServerResponse, path: string): Promise<boolean> => {
    if (!enabled || (req.method !== 'GET' && req.method !== 'HEAD')) return false;
    if (path === '/') return redirect(res);
    if (path === '/graphiql' || path === '/graphiql/') {
      const page = await readFile(join(directory, 'index.html'));
      return send(res, page, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
    }
    if (path === '/graphiql/demo.json') {
      const world = await demo();
      if (!world) return false;
      const body = Buffer.from(JSON.stringify(world));
      return send(res, body, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
    }
    const name = path.startsWith('/graphiql/assets/') ? path.slice('/graphiql/assets/'.length) : '';
    const type = types[extname(name)];
    if (!type || !names().has(name)) return false;
    const encoding = encodings.find((one) => accepts(req, one.name) && names().has(name + one.extension));
    return send(res, await readFile(join(assets, name + (encoding?.extension ?? ''))), {
      'content-type': type,
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      ...(encoding && { 'content-encoding': encoding.name }),
    });
  };
}

function redirect(res: ServerResponse): true {
  res.writeHead(302, { location: '/graphiql', 'content-length': 0 });
  res.end();
  return true;
}

function accepts(req: IncomingMessage, encoding: string): boolean {
  const offers = String(req.headers['accept-encoding'] ?? '').split(',');
  return offers.some((offer) => {
    const [name, weight] = offer.trim().split(/\s*;\s*q=/);
    return name === encoding && (weight === undefined || Number(weight) > 0);
  });
}

/** A HEAD request gets the same headers; Node leaves the body out. */
function send(res: ServerResponse, body: Buffer, headers: OutgoingHttpHeaders): true {
  res.writeHead(200, { ...secured, ...headers, 'content-length': body.length });
  res.end(body);
  return true;
}
