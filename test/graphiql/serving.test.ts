import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildGraphiql } from '../../scripts/graphiql.js';
import { graphiqlHandler } from '../../src/gateway/graphiql.js';

const world = { graphql: '', graphiql: '', spaceId: 'space_1', accounts: [], apiKeys: [] };
let served: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  await buildGraphiql();
  served = await serve({ enabled: true, demo: async () => world });
}, 60_000);

afterAll(() => {
  served.close();
});

test('the page names no other origin and forbids evaluated text', async () => {
  const { status, headers, body } = await served.get('/graphiql');
  expect(status).toBe(200);
  expect(body).not.toMatch(/(src|href)="(https?:)?\/\//);
  expect(headers['content-security-policy']).toMatch(/default-src 'none'.*script-src 'self';/);
  expect(headers['content-security-policy']).not.toContain('unsafe-eval');
  expect(headers['cache-control']).toBe('no-cache');
});

test('each asset of the page comes compressed, typed and to be kept for good', async () => {
  const { body } = await served.get('/graphiql');
  const paths = [...body.matchAll(/(?:src|href)="(\/graphiql\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
  expect(paths.length).toBeGreaterThan(3);
  for (const path of paths) {
    const { status, headers } = await served.get(path, { 'accept-encoding': 'gzip;q=0, br' });
    expect({ path, status, encoding: headers['content-encoding'] }).toEqual({ path, status: 200, encoding: 'br' });
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-type']).toMatch(/^(text\/(javascript|css); charset=utf-8|image\/svg\+xml)$/);
  }
});

test.each([
  '/graphiql/assets/../index.html',
  '/graphiql/assets/..%2findex.html',
  '/graphiql/assets/../../../package.json',
  '/graphiql/assets//etc/passwd',
  '/graphiql/assets/',
  '/graphiql/index.html',
  '/graphiql/.inputs',
])('%s is not there', async (path) => {
  expect(await served.get(path)).toMatchObject({ status: 404 });
});

test('the demo accounts are never kept, and missing without a demo world', async () => {
  const { headers, body } = await served.get('/graphiql/demo.json');
  expect(headers['cache-control']).toBe('no-store');
  expect(JSON.parse(body)).toEqual(world);
  const bare = await serve({ enabled: true, demo: async () => null });
  expect(await bare.get('/graphiql/demo.json')).toMatchObject({ status: 404 });
  expect(await bare.get('/graphiql')).toMatchObject({ status: 200 });
  bare.close();
});

test('nothing is there when it is not enabled', async () => {
  const off = await serve({ enabled: false, demo: async () => world });
  for (const path of ['/graphiql', '/graphiql/', '/graphiql/demo.json']) {
    expect(await off.get(path)).toMatchObject({ status: 404 });
  }
  off.close();
});

async function serve(options: Omit<Parameters<typeof graphiqlHandler>[0], 'directory'>) {
  const handle = graphiqlHandler({ directory: 'dist/graphiql', ...options });
  const server = createServer(async (req, res) => {
    if (!(await handle(req, res, req.url ?? ''))) res.writeHead(404).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    close: () => server.close(),
    // Unlike fetch, this sends the path as it is written.
    async get(path: string, headers: Record<string, string> = {}) {
      const sent = request({ host: '127.0.0.1', port, path, headers, agent: false }).end();
      const [response] = await once(sent, 'response');
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
    },
  };
}
