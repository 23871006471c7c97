import type { App, Ctx } from '../../core/context.js';
import { load } from '../../core/loaders.js';
import { fileVersionShape } from './file.js';
import { urlOf } from './service.js';

/** Where a version is, for us: what people get in its place is an address that is signed for them. */
export const locationOf = ({ publicUrl }: Pick<App, 'publicUrl'>, versionId: string) =>
  `${publicUrl}/api/blob/${versionId}`;

/** An address as the viewer can use it: of a version of ours a signed one, null when they may not see it; any other as it is. */
export async function readableLocation(ctx: Ctx, url: string): Promise<string | null> {
  const prefix = locationOf(ctx.app, '');
  const id = url.startsWith(prefix) ? url.slice(prefix.length) : '';
  if (!/^fver_\w+$/.test(id)) return url;
  if (ctx.viewer?.scopes?.has('files:read') === false) return null;
  const version = await load(ctx, fileVersionShape, id);
  return version && urlOf(ctx, version, id, { download: true });
}
