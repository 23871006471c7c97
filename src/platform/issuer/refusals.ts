import { z } from 'zod';

const CODES: Readonly<Record<number, string>> = {
  400: 'BAD_USER_INPUT',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'BAD_USER_INPUT',
  429: 'RATE_LIMITED',
};
const libraryError = z.object({ code: z.string().optional(), message: z.string().optional() });

/** Headers that every answer of the issuer has. */
export const COMMON_HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

export interface Refusal {
  readonly status: number;
  readonly message: string;
  /** The precise cause, for programs: PASSWORD_TOO_LONG, INVALID_ORIGIN. */
  readonly reason?: string;
  readonly requestId?: string;
  readonly headers?: Record<string, string>;
}

/** A refusal in the error body that the whole product has. */
export function refusal({ status, message, reason, requestId, headers }: Refusal): Response {
  const extensions = { code: CODES[status] ?? 'BAD_REQUEST', reason, requestId };
  return Response.json({ errors: [{ message, extensions }] }, { status, headers: { ...COMMON_HEADERS, ...headers } });
}

/** Turns the library's refusal into ours, keeping its cookies and the time to wait. Rejects when it is no refusal. */
export async function refusalOf(response: Response, requestId?: string): Promise<Response> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const parsed = isJson && text !== '' ? libraryError.safeParse(JSON.parse(text)) : undefined;
  const error = parsed?.success ? parsed.data : {};
  if (response.status >= 500) throw new Error(`The issuer failed: ${error.code ?? response.status}`);
  const answer = refusal({
    status: response.status,
    message: error.message ?? 'Refused',
    reason: error.code,
    requestId,
  });
  const wait = response.headers.get('retry-after');
  if (wait !== null) answer.headers.set('Retry-After', wait);
  for (const cookie of response.headers.getSetCookie()) answer.headers.append('Set-Cookie', cookie);
  return answer;
}
