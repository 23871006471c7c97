import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Viewer } from '../../core/context.js';
import type { ErrorCode } from '../../generated/graphql.js';
import { stringify } from './stringify.js';

/** A request on its way through the gateway, and what the log will say of it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  /** What follows `?`, with it. */
  readonly search: string;
  readonly requestId: string;
  readonly ip: string | null;
  viewer: Viewer | null;
  operation: string | null;
  code: ErrorCode | null;
}

const safeId = /^[\w.:-]{1,64}$/;

/** A request that has just come in. */
export function exchangeOf(request: IncomingMessage, response: ServerResponse, proxies: number): Exchange {
  const url = request.url ?? '/';
  const cut = url.indexOf('?');
  return {
    request,
    response,
    path: cut < 0 ? url : url.slice(0, cut),
    search: cut < 0 ? '' : url.slice(cut),
    requestId: requestIdOf(request),
    ip: addressOf(request, proxies),
    viewer: null,
    operation: null,
    code: null,
  };
}

/** The id a request came with, when it is fit for logs, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const sent = request.headers['x-request-id'];
  return typeof sent === 'string' && safeId.test(sent) ? sent : randomUUID();
}

/** The client's address: the socket's, or what the last `proxies` proxies say. */
export function addressOf(request: IncomingMessage, proxies: number): string | null {
  const direct = request.socket.remoteAddress ?? null;
  const forwarded = request.headers['x-forwarded-for'];
  if (proxies === 0 || typeof forwarded !== 'string') return direct;
  return (
    forwarded
      .split(',')
      .map((part) => part.trim())
      .at(-proxies) ?? direct
  );
}

/** What every answer says, whatever it is; the routes may say otherwise. */
export function commonHeaders(response: ServerResponse, requestId: string, publicUrl: string | null | undefined): void {
  response.setHeader('x-request-id', requestId);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cache-control', 'no-store');
  if (publicUrl?.startsWith('https:')) response.setHeader('strict-transport-security', 'max-age=31536000');
}

/** Sends text and counts it. */
export function send(response: ServerResponse, status: number, contentType: string, text: string): void {
  response.statusCode = status;
  response.setHeader('content-type', contentType);
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

export const sendJson = (response: ServerResponse, status: number, value: unknown) =>
  send(response, status, 'application/json; charset=utf-8', `${stringify(value)}\n`);
