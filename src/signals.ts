/** Everything has to be over before whoever sent the signal loses patience. */
const patienceMs = 14_000;
/** Ctrl-C reaches us twice under npm: once from the terminal, once from npm. That is one wish. */
const echoMs = 500;
const parentCheckMs = 250;

/**
 * Ends the process on SIGTERM and SIGINT in good order, with exit code 0; a second signal ends it at once. `withParent` also ends it
 * when its parent does: the shell that npm puts between itself and us keeps signals for itself.
 */
export function endOnSignals(stop: () => Promise<void>, { withParent }: { withParent: boolean }): void {
  let began: number | null = null;
  const begin = () => {
    if (began !== null) return;
    began = performance.now();
    void stopAndExit(stop);
  };
  const heard = () => {
    if (began !== null && performance.now() - began > echoMs) process.exit(1);
    begin();
  };
  process.on('SIGTERM', heard);
  process.on('SIGINT', heard);
  // The terminal has been closed.
  process.on('SIGHUP', heard);
  if (!withParent) return;
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || begin(), parentCheckMs).unref();
}

/** Ends parts at the same time, also when one cannot be ended. Rejects with all that went wrong. */
export async function endTogether(ends: readonly (() => Promise<void>)[]): Promise<void> {
  const ended = await Promise.allSettled(ends.map((end) => end()));
  const errors = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
}

/** Ends every part in order, also those after one that could not be ended: nothing of ours may outlive us. Rejects with all that went wrong. */
export async function endAll(ends: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const end of ends) await end().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
}

async function stopAndExit(stop: () => Promise<void>): Promise<never> {
  setTimeout(() => {
    process.stderr.write('Canopy did not finish in time; what was still running is cut off.\n');
    process.exit(1);
  }, patienceMs).unref();
  try {
    await stop();
  } catch (error) {
    process.stderr.write(`Canopy did not stop cleanly: ${error instanceof Error ? error.stack : error}\n`);
    process.exit(1);
  }
  process.exit(0);
}
