import type { Assistant } from '../platform/assistant/assistant.js';
import type { Blobs } from '../platform/blobs/blobs.js';
import type { Database } from '../platform/database/database.js';
import type { Embeddings } from '../platform/embeddings/embeddings.js';
import type { Issuer } from '../platform/issuer/issuer.js';
import type { Log } from '../platform/log.js';
import type { Queue } from '../platform/queue/queue.js';
import type { TokenVerifier } from '../platform/tokens/tokens.js';
import type { Vectors } from '../platform/vectors/vectors.js';
import type { Wakeups } from '../platform/wakeups/wakeups.js';
import type { ReadAudit } from './audit.js';
import type { EventTail } from './event-tail.js';
import type { Memory } from './memory.js';
import type { Reads } from './reads.js';
import type { Signer } from './signing.js';

/** Who is asking: a user through a session or token, or a program through an API key. */
export interface Viewer {
  /** Null when the key belongs to an organization, not to a person. */
  readonly userId: string | null;
  /** Set when an API key was presented. */
  readonly apiKeyId: string | null;
  /** Set when the key belongs to an organization: it acts there as ADMIN. */
  readonly organizationId: string | null;
  /** The session of the embedded issuer behind the credential, when there is one. */
  readonly sessionId: string | null;
  /** Null: everything that the user may do. */
  readonly scopes: ReadonlySet<string> | null;
  /** Null: every space that the user may enter. */
  readonly spaceIds: ReadonlySet<string> | null;
  /** Set where what is read comes before all members of this space: it is what each of them may see, and the viewer too. */
  readonly among?: string;
  /** When the credential stops to count; null when it does not expire by itself. */
  readonly expiresAt: Date | null;
}

/** What lives as long as the process. */
export interface App {
  /** Prepared statements and the unrestricted client. Only core/ and jobs touch it; domains use loaders, `ctx.db` and `write()`. */
  readonly database: Database;
  readonly issuer: Issuer;
  /** Checks access tokens of the embedded issuer and of the configured ones. */
  readonly tokens: TokenVerifier;
  readonly wakeups: Wakeups;
  /** Text as vectors of meaning, and where they are kept, a space a namespace. */
  readonly embeddings: Embeddings;
  readonly vectors: Vectors;
  readonly tail: EventTail;
  readonly memory: Memory;
  /** The jobs behind the changes. */
  readonly queue: Queue;
  /** Answers in chats. */
  readonly assistant: Assistant;
  readonly readAudit: ReadAudit;
  /** The bytes of files. */
  readonly blobs: Blobs;
  /** Signs the addresses of files, which whoever has them may use for a while. */
  readonly addresses: Signer;
  /** Makes the ids of the clients' sessions, which nobody else can make. */
  readonly clientSessions: Signer;
  /** Where clients reach this server, without a trailing slash. */
  readonly publicUrl: string;
  readonly log: Log;
  readonly now: () => Date;
}

/** What the edge knows of a request, for the log and the audit. */
export interface RequestInfo {
  readonly requestId: string;
  readonly ip: string | null;
}

/** An idempotency key and what it was sent with. */
export interface Idempotency {
  readonly key: string;
  readonly requestHash: string;
}

/** What lives as long as one operation; for a subscription, as long as one of its events. */
export interface Ctx {
  readonly app: App;
  /** Null when nobody is signed in. */
  readonly viewer: Viewer | null;
  readonly request: RequestInfo;
  /** Reads only, and only rows that the viewer may see. */
  readonly db: Reads;
  /** Set while a mutation that came with a key runs. */
  readonly idempotency: Idempotency | null;
  /** By the clock of `performance.now()`; past it the caller has been told GATEWAY_TIMEOUT and nothing more may be changed. Missing: no end. */
  readonly deadline?: number;
  /** Set while it answers about events, which many hear at the same time: they ask the database together. */
  readonly follows?: true;
  /** What the answer had to do without; told in its `extensions.degraded`. */
  readonly degraded: Set<'vectors'>;
  /** Loaders remember within one epoch; `write()` starts a new one. */
  readonly epoch: { current: object };
}

/** Makes a value once for each App, when it is first asked for: what a part of the process keeps for itself. */
export function perApp<T extends object>(make: (app: App) => T): (app: App) => T {
  const made = new WeakMap<App, T>();
  return (app) => {
    let value = made.get(app);
    if (!value) made.set(app, (value = make(app)));
    return value;
  };
}

/**
 * Makes a value once per epoch: one set of loaders all through an operation, a fresh one after a write. It is kept on the epoch itself: a WeakMap of
 * every operation would be work for each collection of garbage.
 */
export function perEpoch<T extends object>(make: (ctx: Ctx) => T): (ctx: Ctx) => T {
  const own = Symbol('perEpoch');
  return (ctx) => {
    const epoch = ctx.epoch.current as { [own]?: T };
    return (epoch[own] ??= make(ctx));
  };
}
