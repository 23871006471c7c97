import { hash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Ctx } from '../../core/context.js';
import { AppError, notFound } from '../../core/errors.js';
import { parse } from '../../core/input.js';
import { columnsSql } from '../../core/sql.js';
import { commit, type Tx, type Written, write } from '../../core/write.js';
import type { OpenClientSessionInput } from '../../generated/graphql.js';
import {
  type ClientSessionRow,
  clientSessionShape,
  maxSessions,
  sessionIdOf,
  uuid,
  uuidOfCredential,
} from './client-session.js';
import { sessionsUsed } from './live-connections.js';

const columns = columnsSql(clientSessionShape);
const ticketMs = 60_000;

/** A client's session, and the ticket that it may show once, unless an earlier call has shown it. */
export type OpenedSession = Written<ClientSessionRow> & { readonly ticket: string | null };

const Opening = z.object({ clientUuid: uuid });

interface NewTicket {
  readonly hash: string;
  readonly expiresAt: Date;
}

const hashOf = (ticket: string) => hash('sha256', ticket, 'base64url');

/** Makes the session of one of the viewer's clients, or finds it, with a new ticket; the one before does not count any more. */
export async function openClientSession(ctx: Ctx, input: OpenClientSessionInput): Promise<OpenedSession> {
  const { clientUuid } = parse(Opening, input);
  const ticket = randomBytes(32).toString('base64url');
  const written = await write(ctx, 'clientSession.open', { self: true }, (tx) => {
    const expiresAt = new Date(tx.now.getTime() + ticketMs);
    return open(ctx, tx, clientUuid, { hash: hashOf(ticket), expiresAt });
  });
  return { ...written, ticket: written.repeated ? null : ticket };
}

async function open(ctx: Ctx, tx: Tx, clientUuid: string, ticket: NewTicket | null): Promise<ClientSessionRow> {
  const userId = ctx.viewer?.userId ?? '';
  const id = sessionIdOf(ctx.app.clientSessions, userId, clientUuid);
  const [row] = await tx.sql<ClientSessionRow & { isNew: boolean }>`insert into "ClientSession" as s
    (id, "userId", "clientUuid", "ticketHash", "ticketExpiresAt", "createdAt", "lastUsedAt")
    values (${id}, ${userId}, ${clientUuid}, ${ticket?.hash ?? null}, ${ticket?.expiresAt ?? null}, ${tx.now}, ${tx.now})
    on conflict (id) do update set "ticketHash" = coalesce(excluded."ticketHash", s."ticketHash"), "lastUsedAt" = greatest(s."lastUsedAt", excluded."lastUsedAt"),
      "ticketExpiresAt" = coalesce(excluded."ticketExpiresAt", s."ticketExpiresAt")
    returning ${columns}, xmax = 0 as "isNew"`;
  if (!row) throw new Error('A session that was opened was not answered.');
  const { isNew, ...session } = row;
  const subject = { resourceType: 'ClientSession', resourceId: id, sessionId: id };
  if (!isNew) {
    tx.audit('clientSession.open', subject);
    return session;
  }
  await tx.sql`delete from "ClientSession" where id in (
    select id from (
      select s.id, exists (select from "ClientConnection" c where c."sessionId" = s.id) as "isOpen" from "ClientSession" s
      where s."userId" = ${userId} and s.id <> ${id} order by "isOpen" desc, s."lastUsedAt" desc, s.id desc offset ${maxSessions - 1}
    ) others where not "isOpen")`;
  tx.emit('clientSession.opened', 'ClientSession', id, {}, { sessionId: id });
  return session;
}

/** What a client says of itself as it connects; none of it has to be there. */
export interface SessionClaim {
  readonly clientUuid?: unknown;
  readonly sessionId?: unknown;
  readonly ticket?: unknown;
}

const Claim = z.object({
  clientUuid: uuid.nullish(),
  sessionId: uuid.nullish(),
  ticket: z.string().max(100).nullish(),
});

/**
 * The session that a connection belongs to, made when it is not there; null for those who are no user. A client that does not say who it is has that
 * of its sign-in or key. BAD_USER_INPUT for what is no UUID, FORBIDDEN for a session that is not that client's, CONFLICT for a ticket that was
 * shown before, is too old, or was never given.
 */
export async function sessionFor(ctx: Ctx, claim: SessionClaim): Promise<string | null> {
  const { app, viewer } = ctx;
  const { clientUuid, sessionId, ticket } = parse(Claim, claim);
  const claims = clientUuid != null || sessionId != null || ticket != null;
  if (!viewer?.userId) {
    if (claims) throw new AppError('FORBIDDEN', 'Only users have sessions of clients.');
    return null;
  }
  const ownUuid = clientUuid ?? uuidOfCredential(app.clientSessions, viewer);
  const id = sessionIdOf(app.clientSessions, viewer.userId, ownUuid);
  if (sessionId != null && sessionId !== id) throw foreign();
  if (ticket != null && !(await spend(ctx, id, ticket)))
    throw new AppError('CONFLICT', 'The ticket was used before, or is too old; open the session again.');
  const found = await app.database.query('select id from "ClientSession" where id = $1', [id]);
  if (found.length > 0) sessionsUsed(app).note(id);
  else await commit(ctx, 'clientSession.open', { self: true }, viewer.userId, (tx) => open(ctx, tx, ownUuid, null));
  return id;
}

export const foreign = () => new AppError('FORBIDDEN', "The session is not this client's.");

/** Whether the ticket counted; from now on it does not. */
async function spend({ app }: Ctx, id: string, ticket: string): Promise<boolean> {
  const spent = await app.database.query(
    `update "ClientSession" set "ticketHash" = null, "ticketExpiresAt" = null where id = $1 and "ticketHash" = $2 and "ticketExpiresAt" > $3 returning id`,
    [id, hashOf(ticket), app.now()],
  );
  return spent.length > 0;
}

/**
 * Lets a client go on in its session, and notes that it did. `named` is the session it says it is in, if it says: BAD_USER_INPUT for what is no
 * UUID, FORBIDDEN for another than its own, NOT_FOUND when its own has been removed.
 */
export async function goOn(ctx: Ctx, own: string | null, named: unknown): Promise<void> {
  const { sessionId } = parse(Claim.pick({ sessionId: true }), { sessionId: named });
  if (sessionId != null && sessionId !== own) throw foreign();
  if (own === null) return;
  const { database, memory } = ctx.app;
  const isThere = await memory.recall(`client session ${own}`, async () => ({
    value: (await database.query('select id from "ClientSession" where id = $1', [own])).length > 0,
    tags: [own, ...(ctx.viewer?.userId ? [ctx.viewer.userId] : [])],
  }));
  if (!isThere) throw notFound();
  sessionsUsed(ctx.app).note(own);
}

const idleHours = 24;

/** Removes the sessions of clients that are not connected and were not heard of for 24 hours. Connecting makes them again. */
export const removeIdleSql = `delete from "ClientSession" s where s."lastUsedAt" < $1::timestamptz - interval '${idleHours} hours'
  and not exists (select from "ClientConnection" c where c."sessionId" = s.id)`;
