import type { Env } from './env.js';
import { startWorker } from './jobs/worker.js';
import { main, openApp, type Stops } from './main.js';

const usual = 4;

/** Works on the jobs and answers nobody: for servers that run with JOB_WORKERS=0. */
async function start(env: Env, stops: Stops): Promise<void> {
  const { app } = await openApp(env, env.publicUrl ?? `http://localhost:${env.port}`, env.corsOrigins, stops);
  const worker = await startWorker(app, env.jobWorkers || usual);
  stops.unshift(worker.stop);
  process.stderr.write('\n  Canopy works on its jobs. Ctrl-C ends it.\n\n');
}

await main(start);
