import type { App } from '../../core/context.js';
import { type Exchange, sendJson } from './request.js';

const probeMs = 2_000;

export const isHealth = (path: string) => path === '/api/health' || path === '/api/health/db' || path === '/api/ready';

/** Answers /api/health (the process), /api/health/db (the database) and /api/ready (whether to send requests here). */
export async function answerHealth(app: App, draining: () => boolean, { response, path }: Exchange): Promise<void> {
  const answer = (ok: boolean, checks: Record<string, 'up' | 'down'> = {}) => {
    if (!ok) response.setHeader('retry-after', '1');
    sendJson(response, ok ? 200 : 503, { status: ok ? 'ok' : 'unavailable', checks });
  };
  if (path === '/api/health') return answer(true);
  const database = await databaseAnswers(app);
  if (path === '/api/health/db') return answer(database, { database: database ? 'up' : 'down' });
  return answer(database && !draining(), { database: database ? 'up' : 'down', server: draining() ? 'down' : 'up' });
}

async function databaseAnswers(app: App): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => setTimeout(resolve, probeMs, false).unref());
  const asked = app.database.query('select 1', []).then(
    () => true,
    (error: unknown) => {
      app.log.warn('The database does not answer.', { error });
      return false;
    },
  );
  return Promise.race([asked, late]);
}
