/** Tells Monaco where its workers are. Must run before an editor is made. */
export function provideWorkers(): void {
  window.MonacoEnvironment = {
    getWorker: (_, label) => {
      if (label === 'json') return new Worker(workerUrls.json);
      if (label === 'graphql') return new Worker(workerUrls.graphql);
      return new Worker(workerUrls.editor);
    },
  };
}
