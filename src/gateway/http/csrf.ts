import type { IncomingMessage } from 'node:http';
import { AppError } from '../../core/errors.js';

const preflighted = ['graphql-require-preflight', 'apollo-require-preflight', 'x-apollo-operation-name'];

/** Whether a browser must have asked for leave before it sent this: a header or content type that no plain form or link has. */
function asksFirst({ headers }: IncomingMessage): boolean {
  return (
    preflighted.some((name) => headers[name] !== undefined) ||
    /^application\/json\b/i.test(headers['content-type'] ?? '')
  );
}

/** Refuses a GET that any web page could have caused: with a cookie, or sent by a page of a browser, and without a header that it had to ask for. */
export function assertNotForged(request: IncomingMessage): void {
  const { cookie, origin, 'sec-fetch-site': site } = request.headers;
  const fromPage = cookie !== undefined || origin !== undefined || (site !== undefined && site !== 'none');
  if (fromPage && !asksFirst(request))
    throw new AppError('BAD_REQUEST', `Send one of the headers ${preflighted.join(', ')} with a GET.`);
}

/** Whether a cookie may authenticate here: sent by our own origin or a trusted one, or by no page at all. */
export function cookiesCount(request: IncomingMessage, trusted: readonly string[]): boolean {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  if (origin === undefined) return site === undefined || site === 'same-origin' || site === 'none';
  return trusted.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host);
}
