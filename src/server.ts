import { fileURLToPath } from 'node:url';
import { banner } from './banner.js';
import { type Env, WrongSettings } from './env.js';
import { graphiqlHandler } from './gateway/graphiql.js';
import { boundedServer } from './gateway/http/server.js';
import { listen } from './listen.js';
import { main, openApp, type Stops } from './main.js';
import { endTogether } from './signals.js';

const graphiqlBundle = fileURLToPath(new URL('../dist/graphiql/', import.meta.url));

/** The server, answering once this module is there: listening, or called by the host that took it from here. */
export const server = boundedServer();
export default server;

/** Starts everything the settings ask for, and files in `stops` how to end each part. */
async function start(env: Env, stops: Stops): Promise<void> {
  const { port, note } = env.hosted ? { port: env.port, note: null } : await listen(server, env);
  const publicUrl = env.publicUrl ?? `http://localhost:${port}`;
  const { app, isEmbedded } = await openApp(env, publicUrl, [...env.corsOrigins, `http://127.0.0.1:${port}`], stops);
  const { holdsDemoWorld, readDemoWorld, seedDemoWorld } = await import('../prisma/seed.js');
  if (env.production && (await holdsDemoWorld(app)))
    throw new WrongSettings(
      'Canopy cannot start in production on a database with the demo world, whose passwords are known to all. Set DATABASE_URL to another one.',
    );
  const world = env.demoWorld ? await seedDemoWorld(app, { home: env.home, publicUrl }) : null;
  const demo = () => (env.demoWorld ? readDemoWorld(env.home) : Promise.resolve(null));
  const { startGateway } = await import('./app.js');
  const gateway = await startGateway(
    server,
    app,
    env,
    graphiqlHandler({ directory: graphiqlBundle, enabled: env.graphiql, demo }),
  );
  const ends = [gateway.drain];
  stops.unshift(() => endTogether(ends));
  process.stderr.write(banner({ publicUrl, embedded: isEmbedded, graphiql: env.graphiql, world, note }));
  if (env.jobWorkers === 0) return;
  const { startWorker } = await import('./jobs/worker.js');
  ends.push((await startWorker(app, env.jobWorkers)).stop);
}

await main(start);
