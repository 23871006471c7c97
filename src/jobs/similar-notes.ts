import type { App } from '../core/context.js';
import type { Subject } from '../domains/knowledge/discovery.js';
import type { Similar } from '../domains/knowledge/relatedness.js';

/** What of the note's space says the like of it, in whatever words. */
export async function similarTo(_app: App, _note: Subject, _signal: AbortSignal): Promise<readonly Similar[]> {
  return [];
}
