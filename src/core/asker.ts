import type { Ctx, Viewer } from './context.js';
import type { Asker } from './jobs.js';

/** Who asks, for a job that does it later. */
export function askerOf(viewer: Viewer | null): Asker {
  const { userId = null, apiKeyId = null, organizationId = null, scopes, spaceIds } = viewer ?? {};
  return {
    userId,
    apiKeyId,
    organizationId,
    scopes: scopes ? [...scopes] : null,
    spaceIds: spaceIds ? [...spaceIds] : null,
  };
}

/** The asker as they were; what they may do now is asked for when it is done. */
export const askedBy = ({ scopes, spaceIds, ...asker }: Asker): Viewer => ({
  ...asker,
  sessionId: null,
  scopes: scopes && new Set(scopes),
  spaceIds: spaceIds && new Set(spaceIds),
  expiresAt: null,
});

/** Whether the key that was asked with still counts. */
export async function isKeyValid({ app, viewer }: Ctx): Promise<boolean> {
  if (!viewer?.apiKeyId) return true;
  const found = await app.database.query(
    `select id from "ApiKey" where id = $1 and "revokedAt" is null and ("expiresAt" is null or "expiresAt" > $2)`,
    [viewer.apiKeyId, app.now()],
  );
  return found.length > 0;
}
