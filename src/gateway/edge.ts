import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import type { App, Viewer } from '../core/context.js';
import type { ScheduledJob } from '../core/jobs.js';
import type { Documents } from './documents.js';
import type { SocketLimits } from './limits/socket.js';
import type { connectionList } from './socket/connection.js';

/** How the edge is set up. */
export interface EdgeSettings {
  readonly introspection: 'public' | 'authenticated' | 'off';
  /** Origins whose pages may call, with cookies. */
  readonly corsOrigins: readonly string[];
  /** How many proxies stand in front and say truly who called. */
  readonly trustedProxies: number;
  /** Where clients reach the server, when that is known; https tells browsers to stay with it. */
  readonly publicUrl?: string | null;
  /** What POST /api/cron/… takes as its bearer token; null: those routes are not there. */
  readonly cronSecret?: string | null;
  /** Of what is missing, the usual. */
  readonly sockets?: Partial<SocketLimits>;
}

/** What the edge is made of, the same for every transport. */
export interface EdgeParts {
  readonly app: App;
  readonly schema: GraphQLSchema;
  readonly sdl: string;
  readonly documents: Documents;
  readonly settings: EdgeSettings;
  /** The sockets and streams that are open. */
  readonly connections: ReturnType<typeof connectionList>;
  /** What one client may take of them. */
  readonly limits: SocketLimits;
  readonly graphiql: (request: IncomingMessage, response: ServerResponse, path: string) => boolean | Promise<boolean>;
  /** Adds these jobs and does all that is due, until the signal is aborted. */
  readonly runJobs: (first: readonly ScheduledJob[], signal: AbortSignal) => Promise<void>;
  /** Whether the process is about to end and takes nothing new. */
  readonly draining: () => boolean;
}

/** Whether someone may see the schema: by introspection and as a file, on every transport. */
export const maySeeSchema = ({ introspection }: EdgeSettings, viewer: Viewer | null) =>
  introspection === 'public' || (introspection === 'authenticated' && viewer !== null);
