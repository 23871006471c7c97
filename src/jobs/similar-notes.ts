import type { App } from '../core/context.js';
import type { Subject } from '../domains/knowledge/discovery.js';
import type { Similar } from '../domains/knowledge/relatedness.js';
import { chunksOf } from '../domains/search/chunks.js';

/** More than can become links, for others of the note's own pieces are among them. */
const topK = 50;
/** What fewer words mean is anybody's guess; keywords link such notes. */
const fewest = 5;

/** What of the note's space says the like of it, in whatever words: by what it begins with, which says what it is about. */
export async function similarTo(app: App, note: Subject, signal: AbortSignal): Promise<readonly Similar[]> {
  const { embeddings, vectors } = app;
  const [beginning] = chunksOf(note.title, note.content);
  if (!beginning || (beginning.text.match(/\S+/g) ?? []).length < fewest) return [];
  const vector = embeddings.inStore ? beginning.text : (await embeddings.embed([beginning.text], signal))[0];
  if (!vector) throw new Error('A text without a vector.');
  const matches = await vectors.query(note.spaceId, vector, { topK, types: ['Note'], model: embeddings.model });
  const nearest = new Map<string, number>();
  for (const { resourceId, score } of matches)
    if (resourceId !== note.id) nearest.set(resourceId, Math.max(score, nearest.get(resourceId) ?? 0));
  return [...nearest].map(([id, similarity]) => ({ id, type: 'Note', similarity }));
}
