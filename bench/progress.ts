/** Runs one step and tells on stderr that it runs and how long it took. */
export async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  const began = performance.now();
  process.stderr.write(`  ${name} …`);
  try {
    const result = await run();
    process.stderr.write(` ${((performance.now() - began) / 1_000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stderr.write(' failed\n');
    throw error;
  }
}

/** A heading among the steps. */
export const heading = (text: string): void => {
  process.stderr.write(`\n${text}\n`);
};
