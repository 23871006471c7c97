/** Runs the server and starts it again when a source changes; what is generated is made anew first when it is stale. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const settleMs = 150;
let server = null;
let timer = null;
let ending = false;

async function generate() {
  const child = spawn(process.execPath, ['scripts/generate.mjs', '--if-stale'], { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code === 0;
}

async function stop() {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
}

// One restart after the other: changes that come meanwhile wait for their turn.
let turn = Promise.resolve();

async function restart() {
  await stop();
  if (ending || !(await generate())) return;
  server = spawn(process.execPath, ['--enable-source-maps', 'dist/server/server.js'], { stdio: 'inherit' });
}

const changed = (file) => {
  if (!file || /generated|\.stamp|~$/.test(file)) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    process.stderr.write(`\n${file} has changed.\n`);
    turn = turn.then(restart);
  }, settleMs);
};

for (const folder of ['src', 'schema', 'prisma']) watch(folder, { recursive: true }, (_event, file) => changed(file));
function end() {
  ending = true;
  turn.then(stop).then(() => process.exit(0));
}

process.on('SIGINT', end);
process.on('SIGTERM', end);
// The shell that npm puts between keeps signals for itself; when it is gone, so are we.
const parent = process.ppid;
setInterval(() => process.ppid === parent || end(), 250).unref();
turn = restart();
