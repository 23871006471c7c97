import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bytesOf } from './support/bytes.js';
import { freshDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { lettersService, lettersSize } from './support/letters.js';
import type { LocalService } from './support/local-service.js';
import { type GatewayProcess, startProcess } from './support/process.js';

const mebi = 1024 * 1024;
const partBytes = 8 * mebi;
/** How large a file is sent; `CANOPY_TEST_UPLOAD_MIB=1024` sends a gibibyte. */
const sizeMiB = Number(process.env['CANOPY_TEST_UPLOAD_MIB'] ?? 96);
const parts = sizeMiB / 8;
/** The last part that arrives before everything stops. */
const cut = sizeMiB >= 1_024 ? 40 : 6;
const growthBytes = 80 * mebi;

let home: string;
let database: Awaited<ReturnType<typeof freshDatabase>>;
let gateway: GatewayProcess;
let model: LocalService;
beforeAll(async () => {
  model = await lettersService();
  home = await mkdtemp(join(tmpdir(), 'canopy-uploads-'));
  database = await freshDatabase();
  await start();
}, 60_000);
afterAll(async () => {
  await gateway.stop('SIGKILL');
  await database.drop();
  await model.close();
  await rm(home, { recursive: true });
});

async function start(): Promise<void> {
  gateway = await startProcess({
    CANOPY_HOME: home,
    DATABASE_URL: database.url,
    DEMO_WORLD: 'true',
    LOG_LEVEL: 'warn',
    // The model that comes with the packages takes memory of its own, when the first file is indexed.
    EMBEDDINGS_URL: model.url,
    EMBEDDINGS_KEY: 'key',
    EMBEDDINGS_MODEL: 'letters',
    EMBEDDINGS_DIMENSIONS: `${lettersSize}`,
  });
}

/** Ends the process as a power cut would, and starts another. */
async function crash(): Promise<void> {
  await gateway.stop('SIGKILL');
  await start();
}

interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
  readonly data: any;
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

async function ask(query: string, variables: object): Promise<Answer> {
  const demo = JSON.parse(await readFile(join(home, 'demo.json'), 'utf8'));
  const answer = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${demo.apiKeys[0].key}` },
    body: JSON.stringify({ query, variables: { ...variables, spaceId: demo.spaceId } }),
  });
  return (await answer.json()) as Answer;
}

/** The address of the process that runs now: another has another port. */
const here = (url: string) => `${gateway.url}${new URL(url).pathname}${new URL(url).search}`;
const part = (number: number) => bytesOf(partBytes, number % 255);

async function put(url: string, number: number, signal: AbortSignal | null = null): Promise<number> {
  const body = new Uint8Array(part(number));
  return (await fetch(`${here(url)}&part=${number}`, { method: 'PUT', body, signal })).status;
}

const startUpload = `mutation ($spaceId: ID!, $size: Float!, $checksum: String!, $name: String!) { startUpload(input: { spaceId: $spaceId, name: $name,
  mimeType: "application/octet-stream", sizeBytes: $size, checksum: $checksum }) { uploadSession { id url partCount } } }`;
const session =
  'query ($id: ID!) { node(id: $id) { ... on UploadSession { status url receivedParts file { id status checksum url versions { totalCount } } } } }';
const complete = 'mutation ($id: ID!) { completeUpload(input: { id: $id }) { uploadSession { status } } }';

async function checksumOf(count: number): Promise<string> {
  const hash = createHash('sha256');
  for (let number = 1; number <= count; number += 1) hash.update(part(number));
  return hash.digest('hex');
}

/** Completes an upload, which may be checked behind the answer; answers the file. */
async function completed(id: string): Promise<Answer['data']> {
  expect((await ask(complete, { id })).errors).toBeUndefined();
  let file: Answer['data'] = null;
  await eventually(async () => {
    const { data } = await ask(session, { id });
    expect(data.node.status).toBe('COMPLETED');
    file = data.node.file;
  });
  return file;
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${gateway.child.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1_024;
}

async function digestOf(url: string): Promise<string> {
  const hash = createHash('sha256');
  const answer = await fetch(here(url));
  for await (const chunk of answer.body ?? []) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

test('a large upload that is cut off in the middle of a part goes on after a restart, and takes no memory to speak of', async () => {
  const checksum = await checksumOf(parts);
  const begun = await ask(startUpload, { name: 'large.bin', size: sizeMiB * mebi, checksum });
  const { id, url, partCount } = begun.data.startUpload.uploadSession;
  expect(partCount).toBe(parts);
  for (let number = 1; number <= cut; number += 1) expect(await put(url, number)).toBe(200);
  const cutOff = put(url, cut + 1).catch(() => 'cut off');
  await sleep(3);
  await crash();
  await cutOff;

  const before = await residentBytes();
  const { data } = await ask(session, { id });
  const arrived: number[] = data.node.receivedParts;
  expect(arrived.slice(0, cut)).toEqual(Array.from({ length: cut }, (_, at) => at + 1));
  for (let number = 1; number <= parts; number += 1)
    if (!arrived.includes(number)) expect(await put(data.node.url, number)).toBe(200);
  const file = await completed(id);
  expect(file).toMatchObject({ status: 'READY', checksum, versions: { totalCount: 1 } });
  expect(await digestOf(file.url)).toBe(checksum);
  if (process.platform === 'linux') expect((await residentBytes()) - before).toBeLessThan(growthBytes);
}, 600_000);

test('killed in the middle of a completion, the file is there whole or the upload can be completed again', async () => {
  // Checked while its sender waits, and by a job.
  const tries = [
    { count: 6, delay: 1 },
    { count: 6, delay: 40 },
    { count: 10, delay: 40 },
  ];
  for (const [at, { count, delay }] of tries.entries()) {
    const checksum = await checksumOf(count);
    const begun = await ask(startUpload, { name: `cut-${at}.bin`, size: count * partBytes, checksum });
    const { id, url } = begun.data.startUpload.uploadSession;
    for (let number = 1; number <= count; number += 1) expect(await put(url, number)).toBe(200);
    const cutOff = ask(complete, { id }).catch(() => 'cut off');
    await sleep(delay);
    await crash();
    await cutOff;
    const { data } = await ask(session, { id });
    expect(data.node.file === null).toBe(data.node.status !== 'COMPLETED');
    const file = await completed(id);
    expect(file).toMatchObject({ status: 'READY', checksum, versions: { totalCount: 1 } });
    expect(await digestOf(file.url)).toBe(checksum);
  }
}, 120_000);
