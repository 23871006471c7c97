import { z } from 'zod';
import type { Viewer } from '../../core/context.js';
import type { Related } from '../../core/related.js';
import { shape } from '../../core/shape.js';
import type { Signer } from '../../core/signing.js';
import type {
  ClientConnection as ClientConnectionModel,
  ClientSession as ClientSessionModel,
} from '../../generated/prisma/client.js';

const columns = ['id', 'userId', 'clientUuid', 'createdAt', 'lastUsedAt'] as const;
export type ClientSessionRow = Pick<ClientSessionModel, (typeof columns)[number]>;

/** What leaves the database of a client's session; what its ticket was never does. */
export const clientSessionShape = shape<ClientSessionRow>({
  model: 'ClientSession',
  key: 'id',
  columns,
  always: ['id'],
  fields: { connections: ['id'] },
  inJson: { createdAt: 'instant', lastUsedAt: 'instant' },
});

const connectionColumns = ['id', 'sessionId', 'connectedAt'] as const;
export type ClientConnectionRow = Pick<ClientConnectionModel, (typeof connectionColumns)[number]>;

/** What leaves the database of a connection. */
export const clientConnectionShape = shape<ClientConnectionRow>({
  model: 'ClientConnection',
  key: 'id',
  columns: connectionColumns,
  always: ['id'],
  fields: {},
  inJson: { connectedAt: 'instant' },
});

/** How many sessions a user has at most; the one that was longest unused goes. */
export const maxSessions = 100;
/** How many connections of a session are shown. */
export const maxShown = 100;

/** A user's clients, the latest used first. */
export const sessionsOf: Related<ClientSessionRow> = {
  shape: clientSessionShape,
  keys: ['userId'],
  order: { columns: ['lastUsedAt', 'id'], direction: 'desc' },
  largest: maxSessions,
};

/** By the database's clock, which all processes share: without a word for so long, a process is taken for dead with all that it held. */
export const heardOfSql = (beatAt: string) => `${beatAt} > now() - interval '60 seconds'`;

/** A session's connections to processes that live, the first first. */
export const connectionsOf: Related<ClientConnectionRow> = {
  shape: clientConnectionShape,
  keys: ['sessionId'],
  order: { columns: ['connectedAt', 'id'], direction: 'asc' },
  where: `exists (select from "ServerInstance" i where i.id = t."instanceId" and ${heardOfSql('i."beatAt"')})`,
  largest: maxShown,
};

/** A UUID of any version, in lower case. */
export const uuid = z
  .string()
  .regex(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i, 'must be a UUID')
  .transform((text) => text.toLowerCase());

/** The first bits of a signature as the text of a UUIDv8 (RFC 9562). */
function uuidOf(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url').subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The id of a user's client: always the same for the two, and not to be guessed. */
export const sessionIdOf = (signer: Signer, userId: string, clientUuid: string) =>
  uuidOf(signer.sign([userId, clientUuid]));

/** What a client is called that does not say: by the sign-in or the key that it came with. */
export const uuidOfCredential = (signer: Signer, { sessionId, apiKeyId, userId }: Viewer) =>
  uuidOf(signer.sign(['credential', sessionId ?? apiKeyId ?? userId ?? '']));
