import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '../../core/errors.js';
import type { ScheduledJob } from '../../core/jobs.js';
import type { EdgeParts } from '../edge.js';
import { notAllowed } from './refuse.js';
import { type Exchange, sendJson } from './request.js';

/** What each route adds to the jobs that are due. */
const routes: ReadonlyMap<string, readonly ScheduledJob[]> = new Map([
  ['jobs', []],
  ['cleanup', ['clean-up', 'blobs.sweep']],
  ['lifecycle', ['blobs.tier']],
]);

const patienceMs = 50_000;

/** Does the jobs that are due, for hosts where no worker lives: for 50 seconds at most, the rest at the next call. */
export async function answerCron(parts: EdgeParts, secret: string, exchange: Exchange): Promise<void> {
  const { request, response, path } = exchange;
  const first = routes.get(path.slice('/api/cron/'.length));
  if (!first) throw new AppError('NOT_FOUND', 'There is nothing at this address.');
  // Vercel's scheduler asks with GET.
  if (request.method !== 'POST' && request.method !== 'GET') throw notAllowed(exchange, 'GET, POST');
  if (!isSame(request.headers.authorization ?? '', `Bearer ${secret}`))
    throw new AppError('UNAUTHENTICATED', 'These routes need the secret of CRON_SECRET.');
  await parts.runJobs(first, AbortSignal.timeout(patienceMs));
  sendJson(response, 200, { status: 'ok' });
}

const digest = (text: string) => createHash('sha256').update(text).digest();

const isSame = (one: string, other: string) => timingSafeEqual(digest(one), digest(other));
