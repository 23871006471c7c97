import DataLoader from 'dataloader';
import type { Ctx } from './context.js';
import { loaderNamed } from './loaders.js';
import { roles } from './roles.js';
import { ask } from './together.js';

/** Whether anyone may read this space; a key that is restricted to spaces is not anyone. */
export async function isPublicSpace(ctx: Ctx, spaceId: string): Promise<boolean> {
  if (!(await roles(ctx)).readsPublic) return false;
  return loaderNamed<boolean>(ctx, 'public spaces', () => new DataLoader((ids) => publicOf(ctx, ids))).load(spaceId);
}

async function publicOf(ctx: Ctx, ids: readonly string[]): Promise<boolean[]> {
  const rows = await ask<{ id: string }>(
    ctx,
    `select id from "Space" where id = any($1::text[]) and visibility = 'PUBLIC' and "deletedAt" is null`,
    [ids],
  );
  const found = new Set(rows.map(({ id }) => id));
  return ids.map((id) => found.has(id));
}
