import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { canopyClient } from '../../src/client/client.js';
import { WriteNodeDocument } from '../../src/generated/client.js';
import { logLine } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { type FaultyProxy, proxyTo } from '../support/proxy.js';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet];
const bundle = new URL('../../dist/client/canopy.js', import.meta.url);

/** An application as somebody may write it: it shows what it hears of a path, and of a space. */
const application = `<!doctype html><title>An application</title><script type="module">
  import { canopyClient, FollowEventsDocument, FollowTreeDocument, liveClient, WhoAmIDocument } from '/canopy.js';
  window.heard = { versions: [], phases: [], paths: [], failure: null };
  window.begin = ({ url, key, spaceId, pathPrefix, after, types }) => {
    const credential = () => key;
    const live = liveClient({ url, credential, pauses: { leastMs: 5, mostMs: 50 } });
    live.onState(({ phase }) => window.heard.phases.push(phase));
    const failed = (error) => { window.heard.failure = String(error); };
    const tree = async () => {
      for await (const { treeChanged } of live.follow(FollowTreeDocument, { spaceId, pathPrefix, after }))
        window.heard.versions.push(treeChanged.version);
    };
    const events = async () => {
      for await (const { events } of live.follow(FollowEventsDocument, { spaceId, after, types }))
        if (events.__typename === 'Event') window.heard.paths.push(events.related.path);
    };
    tree().catch(failed);
    events().catch(failed);
    return canopyClient({ url, credential }).run(WhoAmIDocument, {}).then(({ viewer }) => viewer.user.name);
  };
</script>`;

interface Heard {
  readonly versions: readonly number[];
  readonly phases: readonly string[];
  readonly paths: readonly string[];
  readonly failure: string | null;
}

let gateway: TestGateway;
let network: FaultyProxy;
let site: Server;
let browser: Browser;

beforeAll(async () => {
  if (!existsSync(executablePath))
    throw new Error(`No Chromium at ${executablePath}: install the package "chromium", or set CHROMIUM_PATH.`);
  site = createServer(async ({ url }, response) => {
    const isScript = url === '/canopy.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? await readFile(bundle) : application);
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  gateway = await startGateway({ corsOrigins: [origin()] });
  network = await proxyTo(gateway.demo.graphql);
  browser = await chromium.launch({ executablePath, args });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await network?.close();
  await gateway?.close();
  site?.close();
});

const origin = () => `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
const key = () => gateway.demo.apiKeys[0]?.key ?? '';
const path = '/browser/cuts';

async function put(value: number): Promise<string> {
  const client = canopyClient({ url: gateway.demo.graphql, credential: key });
  const input = { spaceId: gateway.demo.spaceId, path, value };
  return (await client.run(WriteNodeDocument, { input, key: `browser-${value}` })).writeTreeNode.eventCursor ?? '';
}

const heardBy = (page: Page) => page.evaluate<Heard>('window.heard');

test('a page follows what happens through a network that is cut, and hears each change once', async () => {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(origin());
  const after = await put(1);
  // So long that it goes in pieces, and what it asks for stands at its end.
  const types = [...Array.from({ length: 20_000 }, (_, at) => `nothing.${at}`), 'tree.written'];
  const question = { url: network.url, key: key(), spaceId: gateway.demo.spaceId, pathPrefix: path, after, types };
  expect(JSON.stringify(question).length).toBeGreaterThan(240 * 1024);
  await page.waitForFunction('window.begin');
  expect(await page.evaluate(`window.begin(${JSON.stringify(question)})`)).toBe('Ada Marsh');
  await logLine(gateway, ({ operation }) => operation === 'FollowEvents');
  const last = 40;
  let cuts = 0;
  for (let version = 2; version <= last; version += 1) {
    await put(version);
    if (version % 3 !== 0) continue;
    await page.waitForFunction(`window.heard.phases.at(-1) === 'connected'`);
    network.cut();
    cuts += 1;
    await eventually(async () =>
      expect((await heardBy(page)).phases.filter((phase) => phase === 'waiting').length).toBeGreaterThanOrEqual(cuts),
    );
  }
  const all = Array.from({ length: last - 1 }, (_, at) => at + 2);
  await eventually(async () => expect((await heardBy(page)).versions).toEqual(all));
  await eventually(async () => expect((await heardBy(page)).paths).toEqual(all.map(() => path)));
  expect(cuts).toBe(13);
  expect((await heardBy(page)).failure).toBeNull();
  expect(errors).toEqual([]);
}, 120_000);
