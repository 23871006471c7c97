import { decideFor } from '../../core/access.js';
import type { Ctx } from '../../core/context.js';
import { isSoundText } from '../../core/json.js';
import { behind } from '../../core/operation.js';
import type { Found } from '../../platform/assistant/assistant.js';
import { searchSpace } from '../search/service.js';

/** What to look for, and where. */
export interface Retrieval {
  readonly spaceId: string;
  readonly text: string;
  readonly first: number;
}

/** As much of a message as is looked up. */
const longest = 500;
/** Of fewer words nobody can say what else they mean. */
const fewestWords = 4;

/**
 * What a space holds about a text, as each of its members may see it, the best first: what has its words or, where nothing has, what says the like of a
 * whole question. Nothing for whoever may not search it.
 */
export async function retrieve({ app, viewer }: Ctx, { spaceId, text, first }: Retrieval): Promise<Found[]> {
  const asked = text.trim().slice(0, longest).toWellFormed();
  if (asked === '' || !isSoundText(asked)) return [];
  // All of them read what is quoted to one.
  const ctx = behind(app, viewer && { ...viewer, among: spaceId });
  if (!(await decideFor(ctx, 'search.read', { space: spaceId })).allowed) return [];
  const literal = await searchSpace(ctx, { spaceId, text: asked, first, mode: 'EXACT' });
  if (literal.length > 0 || asked.split(/\s+/).length < fewestWords) return literal;
  return searchSpace(ctx, { spaceId, text: asked, first, mode: 'SEMANTIC' });
}
