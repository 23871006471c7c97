import { setTimeout as sleep } from 'node:timers/promises';
import type { TestGateway } from './gateway.js';

export const modern = 'application/graphql-response+json';
export const legacy = 'application/json';

/** An answer over HTTP, read to its end. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
  readonly body: any;
  /** The code of the first error. */
  readonly code: string | null;
}

/** Sends a request and reads the whole answer; the body is null where it is not JSON. */
export async function send(url: string, init: RequestInit = {}): Promise<HttpAnswer> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const body = isJson && text ? JSON.parse(text) : null;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body,
    code: body?.errors?.[0]?.extensions?.code ?? null,
  };
}

/** Posts a GraphQL request: the body as it is when it is text, else as JSON. */
export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return send(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': legacy, accept: modern, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** The session cookie of an account of the demo world, fresh. */
export async function cookieOf(
  { url, demo }: Pick<TestGateway, 'url' | 'demo'>,
  index = 0,
): Promise<{ cookie: string }> {
  const account = demo.accounts[index];
  if (!account) throw new Error('The demo world has no such account.');
  const { email, password } = account;
  const headers = { 'content-type': 'application/json', origin: url };
  const answer = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ email, password }),
  });
  return {
    cookie: answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; '),
  };
}

/** The access token of an account of the demo world, of a fresh session. */
export async function tokenOf(
  gateway: Pick<TestGateway, 'url' | 'demo'>,
  index = 0,
): Promise<{ authorization: string }> {
  const answer = await fetch(`${gateway.url}/api/auth/token`, { headers: await cookieOf(gateway, index) });
  const { token } = (await answer.json()) as { token: string };
  return { authorization: `Bearer ${token}` };
}

/** The authorization header of a key of the demo world: it reads (0). */
export function keyOf({ demo }: TestGateway, index = 0): string {
  return `Bearer ${demo.apiKeys[index]?.key}`;
}

/** Waits for a line of the log that says this. */
export async function logLine(
  { lines }: TestGateway,
  says: (entry: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>).find(says);
    if (found) return found;
    await sleep(20);
  }
  throw new Error(`The log does not say that:\n${lines.slice(-20).join('\n')}`);
}
