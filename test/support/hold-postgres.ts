import { embeddedPostgres } from '../../src/platform/database/embedded.js';

/** A process that holds the embedded Postgres of a home, says where it is, and leaves at SIGTERM. */
const [home = ''] = process.argv.slice(2);
const { url, stop } = await embeddedPostgres({
  home,
  log: { info: () => {}, warn: () => {} },
  settings: ['fsync=off'],
});
process.on('SIGTERM', () => stop().then(() => process.exit(0)));
process.stdout.write(`${url}\n`);
