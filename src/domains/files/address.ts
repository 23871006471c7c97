import type { App } from '../../core/context.js';
import { AppError, badInput } from '../../core/errors.js';

const maxSeconds = 300;

/** How a version is to be read by whoever has its address. */
export interface Reading {
  readonly expiresInSeconds?: number | null | undefined;
  readonly download: boolean;
}

/** Where a version can be read for a while. Made of what is known already: no statement, however many there are. */
export function contentUrl(app: App, versionId: string, { expiresInSeconds, download }: Reading): string {
  const seconds = expiresInSeconds ?? maxSeconds;
  if (seconds < 1 || seconds > maxSeconds) throw badInput('expiresInSeconds', `must be between 1 and ${maxSeconds}`);
  const expires = Math.floor(app.now().getTime() / 1_000) + seconds;
  const signature = app.addresses.sign(['content', versionId, expires, download]);
  return `${app.publicUrl}/api/blob/${versionId}?expires=${expires}${download ? '&download=1' : ''}&signature=${signature}`;
}

/** Where the parts of an upload can be put for a while. */
export function uploadUrl(app: App, sessionId: string): string {
  const expires = Math.floor(app.now().getTime() / 1_000) + maxSeconds;
  const signature = app.addresses.sign(['upload', sessionId, expires]);
  return `${app.publicUrl}/api/blob/${sessionId}?expires=${expires}&signature=${signature}`;
}

/** Where a file can be read by whoever has the token, as long as the grant stands. */
export const linkUrl = (app: App, fileId: string, token: string) =>
  `${app.publicUrl}/api/blob/${fileId}?token=${token}`;

/** Throws unless the address is one that we gave out, and still counts. */
export function assertAddress(
  app: App,
  kind: 'content' | 'upload',
  id: string,
  query: URLSearchParams,
  more: readonly boolean[] = [],
): void {
  const expires = Number(query.get('expires'));
  const isOurs = app.addresses.holds([kind, id, expires, ...more], query.get('signature') ?? '');
  // A clock that runs ahead is no reason to make an address live longer than it may.
  if (!isOurs || expires * 1_000 <= app.now().getTime())
    throw new AppError('FORBIDDEN', 'The address has expired, or is none of ours; ask for a fresh one.');
}
