/** `npm run jobs` lists the jobs that failed for good; `npm run jobs -- replay all` (or ids) lets them start over. */
import { fileURLToPath } from 'node:url';
import type { Env } from '../src/env.js';
import { main, openApp, type Stops } from '../src/main.js';
import { endAll } from '../src/signals.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const [command = 'list', ...ids] = process.argv.slice(2);
const most = 1_000;

async function run(env: Env, stops: Stops): Promise<void> {
  const { app } = await openApp({ ...env, logLevel: 'error' }, env.publicUrl ?? 'http://localhost', [], stops);
  const aside = await app.queue.laidAside(most);
  if (command === 'replay') {
    const chosen = ids.includes('all') ? aside.map(({ id }) => id) : ids;
    process.stdout.write(`${await app.queue.replay(chosen)} jobs start over.\n`);
  } else {
    for (const { id, name, payload, attempt, updatedAt, lastError } of aside)
      process.stdout.write(
        `${id}  ${name} ${JSON.stringify(payload)}  tried ${attempt} times, last ${updatedAt.toISOString()}: ${lastError}\n`,
      );
    process.stdout.write(`${aside.length} jobs are laid aside.\n`);
  }
  await endAll(stops.splice(0));
  process.exit(0);
}

await main(run);
