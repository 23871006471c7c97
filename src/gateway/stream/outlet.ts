import type { ServerResponse } from 'node:http';
import type { Form } from './form.js';

/** Proxies end what is silent for longer than some thirty seconds. */
const beatMs = 12_000;
/** How long a reader may take for what is said last. */
const endMs = 1_000;

/** An answer over HTTP that goes on: text as fast as it is read, and a beat when there is none. */
export interface Outlet {
  /** Resolves once the reader has taken so much that more may come: one text at a time waits in memory. At once when nobody reads. */
  send(text: string): Promise<void>;
  /** Says the last, and ends. A reader who does not take it is cut off. */
  end(text: string): void;
}

/** Begins an answer, which must not have begun. */
export function outletOf(response: ServerResponse, { contentType, hello, beat }: Form): Outlet {
  const isOpen = () => !response.writableEnded && !response.destroyed;
  let turn = Promise.resolve();

  function write(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (!isOpen() || response.write(text)) return resolve();
      const go = () => {
        response.off('drain', go);
        response.off('close', go);
        resolve();
      };
      response.once('drain', go);
      response.once('close', go);
    });
  }

  response.statusCode = 200;
  response.setHeader('content-type', contentType);
  response.setHeader('cache-control', 'no-store, no-transform');
  // What nginx and its kin would collect first is passed on at once.
  response.setHeader('x-accel-buffering', 'no');
  response.write(hello);
  const beating = setInterval(() => {
    // Whoever takes nothing is told nothing more, and cut off by the server's bound on silence.
    if (isOpen() && !response.writableNeedDrain) response.write(beat);
  }, beatMs);
  response.once('close', () => clearInterval(beating));

  return {
    send(text) {
      turn = turn.then(() => write(text));
      return turn;
    },
    end(text) {
      if (!isOpen()) return;
      response.end(text);
      const late = setTimeout(() => response.destroy(), endMs);
      response.once('close', () => clearTimeout(late));
    },
  };
}
