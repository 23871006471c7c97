import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { buildGraphiql } from '../../scripts/graphiql.js';
import { startGateway } from '../support/gateway.js';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
/** To look at after a run. */
const screenshots = join(tmpdir(), 'canopy-graphiql');
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet];

let gateway: Awaited<ReturnType<typeof startGateway>>;
let browser: Browser;
let context: BrowserContext;
/** What a page should never do: log an error, throw, or ask another server. */
const complaints: string[] = [];

beforeAll(async () => {
  if (!existsSync(executablePath)) {
    throw new Error(`No Chromium at ${executablePath}: install the package "chromium", or set CHROMIUM_PATH.`);
  }
  await buildGraphiql();
  gateway = await startGateway();
  browser = await chromium.launch({ executablePath, args });
  context = await browser.newContext({ viewport: { width: 1360, height: 820 } });
  context.setDefaultTimeout(20_000);
  await mkdir(screenshots, { recursive: true });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await gateway?.close();
});

test('each demo account, each key and nobody asks as themselves', async () => {
  const page = await open();
  const [first, second] = gateway.demo.accounts;
  if (!first || !second) throw new Error('The demo world has two accounts.');
  await run(page);
  await answers(page, `"name": "${first.name}"`);
  await page.getByLabel('Acting as').selectOption({ label: second.name });
  await run(page);
  await answers(page, `"name": "${second.name}"`);
  await page.getByLabel('Acting as').selectOption({ label: 'Nobody (anonymous)' });
  await run(page);
  await answers(page, '"viewer": null');
  await page.getByLabel('Acting as').selectOption({ label: gateway.demo.apiKeys[0]?.name ?? '' });
  await run(page);
  await answers(page, '"handle":');
  await page.close();
}, 60_000);

test('the switcher works by keyboard, and the choice outlives a reload', async () => {
  const page = await open();
  await page.getByLabel('Acting as').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  const second = gateway.demo.accounts[1];
  expect(await chosen(page)).toBe(second?.name);
  await page.reload();
  expect(await chosen(page)).toBe(second?.name);
  await page.getByLabel('Acting as').selectOption({ index: 0 });
  await page.close();
}, 60_000);

test('a running subscription hears of what is written in another window', async () => {
  const listening = await open();
  await choose(listening, 'Live: changes of a tree');
  await run(listening);
  await listening.locator('#connection-state[data-phase="connected"]').waitFor();

  const writing = await open();
  await choose(writing, 'Write a node');
  for (const number of [1, 2]) {
    await run(writing);
    await answers(writing, '"path": "/examples/theme"');
    await listening
      .locator(`#event-log li:nth-child(${number})`, { hasText: 'tree.written · /examples/theme' })
      .waitFor();
  }
  await answers(listening, '"type": "tree.written"');
  expect(await listening.locator('#connection-state').textContent()).toMatch(/^Live\s*2 events$/);
  await listening.screenshot({ path: join(screenshots, 'subscription.png') });

  await run(listening);
  await listening.locator('#connection-state[data-phase="idle"]').waitFor();
  await listening.close();
  await writing.close();
}, 60_000);

test('a subscription that is refused says why', async () => {
  const page = await open();
  await page.getByLabel('Acting as').selectOption({ label: 'Nobody (anonymous)' });
  await choose(page, 'Live: changes of a tree');
  await run(page);
  await page.locator('#connection-state[data-phase="failed"]').waitFor();
  await answers(page, '"message":');
  await page.getByLabel('Acting as').selectOption({ index: 0 });
  await page.close();
}, 60_000);

test('the editor tidies an operation', async () => {
  const page = await open();
  await page.locator('.graphiql-query-editor .view-line').first().click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText('query   Untidy{viewer{user{ name}}}');
  await page.getByRole('button', { name: /^prettify/i }).click();
  await page.locator('.graphiql-query-editor .view-line', { hasText: /^query\sUntidy\s\{$/ }).waitFor();
  await page.close();
}, 60_000);

test('the documentation describes the schema', async () => {
  const page = await open();
  await page.getByRole('button', { name: /documentation/i }).click();
  await page.getByRole('link', { name: 'Mutation', exact: true }).click();
  await page.getByText('Writes a value at a path').first().waitFor();
  await page.screenshot({ path: join(screenshots, 'documentation.png') });
  await page.close();
}, 60_000);

test('the pages complained of nothing and asked no other server', () => {
  expect(complaints).toEqual([]);
});

async function open(): Promise<Page> {
  const page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== gateway.url) complaints.push(request.url());
  });
  await page.goto(`${gateway.url}/graphiql`);
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  await page.locator('.graphiql-tab').nth(3).waitFor();
  await choose(page, 'Who am I?');
  return page;
}

/** Opens an example from the list. */
async function choose(page: Page, example: string): Promise<void> {
  const button = page.locator('li button', { hasText: new RegExp(`^${example.replaceAll('?', '\\?')}$`) });
  const group = page.locator('.examples details', { has: button });
  if ((await group.getAttribute('open')) === null) await group.locator('summary').click();
  await button.click();
  await page.locator('.examples [aria-current="true"]', { hasText: example }).waitFor();
}

/** Presses the button that runs the operation, or stops a running subscription. */
async function run(page: Page): Promise<void> {
  await page.locator('.graphiql-execute-button').click();
}

async function answers(page: Page, text: string): Promise<void> {
  await page.locator('.result-window .view-lines', { hasText: text }).waitFor();
}

async function chosen(page: Page): Promise<string | null> {
  return page.locator('#account-switcher option:checked').textContent();
}
