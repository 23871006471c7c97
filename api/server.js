/** What Vercel runs: one function for HTTP, event streams and WebSocket. */
export { default } from '../dist/server/server.js';

/** Never called. Whoever looks for what this function needs finds here what its threads start from. */
export const threads = () => [
  import('../src/platform/embeddings/local-worker.mjs'),
  import('../src/platform/text/text-worker.mjs'),
];
