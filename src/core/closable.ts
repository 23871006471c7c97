/** Lets `return()` take effect while `items` waits; a bare generator would hold on until its next event. */
export function closable<T>(items: AsyncGenerator<T>, closing: AbortController): AsyncIterableIterator<T> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => items.next(),
    return: async () => {
      closing.abort();
      return items.return(undefined);
    },
  };
}
