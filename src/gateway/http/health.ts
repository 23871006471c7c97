import type { App } from '../../core/context.js';
import { type Exchange, sendJson } from './request.js';

const probeMs = 2_000;

const paths = [
  '/api/health',
  '/api/health/db',
  '/api/health/blob',
  '/api/health/vector',
  '/api/health/wakeups',
  '/api/ready',
];
export const isHealth = (path: string) => paths.includes(path);

/**
 * Answers /api/health (the process), /api/health/db (the database), /api/health/blob (the bytes of files), /api/health/vector (the vectors of search),
 * /api/health/wakeups (what lets this process hear at once of what others write) and /api/ready (whether to send requests here): without blobs, vectors or
 * wake-ups the rest goes on.
 */
export async function answerHealth(app: App, draining: () => boolean, { response, path }: Exchange): Promise<void> {
  const answer = (ok: boolean, checks: Record<string, 'up' | 'down'> = {}) => {
    if (!ok) response.setHeader('retry-after', '1');
    sendJson(response, ok ? 200 : 503, { status: ok ? 'ok' : 'unavailable', checks });
  };
  if (path === '/api/health') return answer(true);
  if (path === '/api/health/blob') {
    const blobs = await answers(app, 'blobs', app.blobs.list('spaces/', 1));
    return answer(blobs, { blobs: blobs ? 'up' : 'down' });
  }
  if (path === '/api/health/vector') {
    const vectors = await answers(app, 'vectors', app.vectors.count('health'));
    return answer(vectors, { vectors: vectors ? 'up' : 'down' });
  }
  if (path === '/api/health/wakeups') {
    const { connected } = app.wakeups;
    return answer(connected, { wakeups: connected ? 'up' : 'down' });
  }
  const database = await answers(app, 'database', app.database.query('select 1', []));
  if (path === '/api/health/db') return answer(database, { database: database ? 'up' : 'down' });
  return answer(database && !draining(), { database: database ? 'up' : 'down', server: draining() ? 'down' : 'up' });
}

async function answers(app: App, what: string, question: Promise<unknown>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => setTimeout(resolve, probeMs, false).unref());
  const asked = question.then(
    () => true,
    (error: unknown) => {
      app.log.warn(`The ${what} does not answer.`, { error });
      return false;
    },
  );
  return Promise.race([asked, late]);
}
