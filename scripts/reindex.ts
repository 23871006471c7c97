/**
 * `npm run reindex [-- <space id>]` makes anew what search knows, of one space or of all, from what stands in the database. Meanwhile a space is found again bit by
 * bit. The running servers do most of the work; this command does its share and ends when nothing is left to do.
 */
import { fileURLToPath } from 'node:url';
import { addJobs, job } from '../src/core/jobs.js';
import { runDueJobs } from '../src/jobs/worker.js';
import { main, openApp } from '../src/main.js';
import { endAll } from '../src/signals.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const [spaceId = null] = process.argv.slice(2);

await main(async (env, stops) => {
  const { app } = await openApp(env, env.publicUrl ?? `http://localhost:${env.port}`, [], stops);
  await addJobs(app.database.query, [job('search.reindex', { spaceId, type: null, after: '' })]);
  await runDueJobs(app);
  const [row] = await app.database.query<{ texts: number; behind: number }>(
    `select count(*)::int as texts, count(*) filter (where model is distinct from $1)::int as behind from "SearchText" where $2::text is null or "spaceId" = $2`,
    [app.embeddings.model, spaceId],
  );
  process.stdout.write(`${row?.texts ?? 0} texts are indexed, ${row?.behind ?? 0} of them still without vectors.\n`);
  await endAll(stops.splice(0));
});
