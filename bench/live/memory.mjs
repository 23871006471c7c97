// Loaded before a server that is watched: on a signal it says how much it holds, after a collection.
process.on('SIGUSR2', () => {
  globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  process.stdout.write(`heap=${heapUsed} rss=${rss}\n`);
});
