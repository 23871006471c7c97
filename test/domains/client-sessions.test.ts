import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { RunningApp } from '../../src/app.js';
import { openClientSession, sessionFor } from '../../src/domains/realtime/client-sessions.js';
import { liveConnections } from '../../src/domains/realtime/live-connections.js';
import { cleanUp } from '../../src/jobs/clean-up.js';
import { anotherApp, contextIn } from '../support/another-app.js';
import { eventually } from '../support/eventually.js';
import { signedIn } from '../support/sign-in.js';
import { type Person, type World, world } from '../support/world.js';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
let later = 0;
let w: World;
let other: RunningApp;
beforeAll(async () => {
  w = await world({ now: () => new Date(Date.now() + later) });
  other = await anotherApp(w.databaseUrl);
});
afterAll(async () => {
  await other.close();
  await w.close();
});
beforeEach(() => {
  later = 0;
});

const openMutation =
  'mutation ($input: OpenClientSessionInput!) { openClientSession(input: $input) { ticket eventCursor clientSession { id clientUuid createdAt lastUsedAt } } }';
const list = '{ viewer { clientSessions { id clientUuid createdAt lastUsedAt connections { id connectedAt } } } }';

const openAs = (person: Person, clientUuid: string) => person.run(openMutation, { input: { clientUuid } });
const idAs = async (person: Person, clientUuid: string): Promise<string> =>
  (await openAs(person, clientUuid)).data.openClientSession.clientSession.id;
const seenBy = async (person: Person) => (await person.run(list)).data.viewer.clientSessions;
const entries = (id: string) =>
  w.app.database.query<{ success: boolean; sessionId: string; userId: string }>(
    `select success, "sessionId", "userId" from "AuditEvent" where "resourceId" = $1 and action = 'clientSession.open' order by at`,
    [id],
  );

test('a client has the same session each time and at every server, and another user has another one', async () => {
  const uuid = randomUUID();
  const id = await idAs(w.editor, uuid);
  expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(await idAs(w.editor, uuid.toUpperCase())).toBe(id);
  expect((await openClientSession(contextIn(other.app, w.editor.viewer), { clientUuid: uuid })).value.id).toBe(id);
  expect(await sessionFor(contextIn(other.app, w.editor.viewer), { clientUuid: uuid })).toBe(id);
  expect(await idAs(w.viewer, uuid)).not.toBe(id);
  expect(await idAs(w.editor, randomUUID())).not.toBe(id);
});

test('it is said once that a session was opened, and audited each time, by the id of the session', async () => {
  const uuid = randomUUID();
  const { data } = await openAs(w.editor, uuid);
  const { clientSession, eventCursor } = data.openClientSession;
  expect(eventCursor).not.toBeNull();
  expect((await openAs(w.editor, uuid)).data.openClientSession.eventCursor).toBeNull();
  const said = await w.app.database.query('select type, "actorId" from "Event" where "resourceId" = $1', [
    clientSession.id,
  ]);
  expect(said).toEqual([{ type: 'clientSession.opened', actorId: w.editor.id }]);
  const entry = { success: true, sessionId: clientSession.id, userId: w.editor.id };
  expect(await entries(clientSession.id)).toEqual([entry, entry]);
});

test.each(['', 'client-1', '5f0c5bb0-8f9b-4a53-9d80-0a8f3a1f7a110', '; drop table "ClientSession"'])(
  '%p is no client',
  async (uuid) => {
    expect((await openAs(w.editor, uuid)).code).toBe('BAD_USER_INPUT');
    await expect(sessionFor(contextIn(w.app, w.editor.viewer), { clientUuid: uuid })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  },
);

test('a ticket counts once, for a minute, until there is another one, and is not shown again', async () => {
  const uuid = randomUUID();
  const ctx = () => contextIn(w.app, w.editor.viewer);
  const claim = (ticket: string) => sessionFor(ctx(), { clientUuid: uuid, ticket });
  const ticketOf = async () => (await openAs(w.editor, uuid)).data.openClientSession.ticket;
  const first = await ticketOf();
  expect(await claim(first)).toBe(await idAs(w.editor, uuid));
  await expect(claim(first)).rejects.toMatchObject({ code: 'CONFLICT' });
  const second = await ticketOf();
  const third = await ticketOf();
  await expect(claim(second)).rejects.toMatchObject({ code: 'CONFLICT' });
  later = minuteMs + 1;
  await expect(claim(third)).rejects.toMatchObject({ code: 'CONFLICT' });
  const fourth = await ticketOf();
  const both = await Promise.allSettled([claim(fourth), claim(fourth)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const key = randomUUID();
  const again = () => openClientSession(contextIn(w.app, w.editor.viewer, key), { clientUuid: uuid });
  expect((await again()).ticket).toMatch(/^[\w-]{43}$/);
  expect((await again()).ticket).toBeNull();
});

test('a ticket or session of somebody else, or of another client, is refused', async () => {
  const uuid = randomUUID();
  const { ticket, clientSession } = (await openAs(w.editor, uuid)).data.openClientSession;
  for (const claim of [
    { clientUuid: uuid, sessionId: clientSession.id },
    { clientUuid: randomUUID(), sessionId: clientSession.id },
    { sessionId: clientSession.id },
    { clientUuid: uuid, sessionId: randomUUID() },
  ])
    await expect(sessionFor(contextIn(w.app, w.viewer.viewer), claim)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(sessionFor(contextIn(w.app, w.viewer.viewer), { clientUuid: uuid, ticket })).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  await expect(sessionFor(contextIn(w.app, null), { clientUuid: uuid })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect(await sessionFor(contextIn(w.app, null), {})).toBeNull();
});

test('a client that does not say who it is has the session of its sign-in', async () => {
  const person = await signedIn(w);
  const id = await sessionFor(contextIn(w.app, person.viewer), {});
  expect(await sessionFor(contextIn(other.app, person.viewer), {})).toBe(id);
  expect(await seenBy(person)).toMatchObject([{ id, clientUuid: expect.stringMatching(/^[\da-f-]{36}$/) }]);
  const elsewhere = { ...person.viewer, sessionId: 'another' } as NonNullable<typeof person.viewer>;
  expect(await sessionFor(contextIn(w.app, elsewhere), {})).not.toBe(id);
});

test('users see their own clients alone, who is connected and since when, in two statements', async () => {
  const [one, two] = [await w.person('Una'), await w.person('Dua')];
  const [laptop, phone] = [await idAs(one, randomUUID()), await idAs(one, randomUUID())];
  const theirs = await idAs(two, randomUUID());
  const ends = [liveConnections(w.app).open(laptop), liveConnections(other.app).open(laptop)];
  liveConnections(w.app).open(theirs);
  await eventually(async () => {
    const sessions = await seenBy(one);
    expect(sessions.map(({ id }: { id: string }) => id).sort()).toEqual([laptop, phone].sort());
    const { connections } = sessions.find(({ id }: { id: string }) => id === laptop);
    expect(connections).toHaveLength(2);
    for (const { connectedAt } of connections) expect(Date.now() - Date.parse(connectedAt)).toBeLessThan(minuteMs);
    expect(sessions.find(({ id }: { id: string }) => id === phone).connections).toEqual([]);
  });
  expect((await seenBy(two)).map(({ id }: { id: string }) => id)).toEqual([theirs]);
  expect((await one.run(list)).sql.filter((text) => text.includes('Client'))).toHaveLength(2);
  for (const end of ends) end();
  await eventually(async () => {
    for (const { connections } of await seenBy(one)) expect(connections).toEqual([]);
  });
});

test('what a process held that was not heard of for a minute is forgotten; when it is heard of again, it is there again', async () => {
  const person = await w.person('Tria');
  const id = await idAs(person, randomUUID());
  const killed = await anotherApp(w.databaseUrl);
  liveConnections(killed.app).open(id);
  const connected = async () => (await seenBy(person))[0].connections.length;
  await eventually(async () => expect(await connected()).toBe(1));
  const silent = `update "ServerInstance" set "beatAt" = now() - interval '61 seconds' where id = (select "instanceId" from "ClientConnection" where "sessionId" = $1)`;
  await w.app.database.query(silent, [id]);
  expect(await connected()).toBe(0);
  await cleanUp(w.app);
  const left = await w.app.database.query('select id from "ClientConnection" where "sessionId" = $1', [id]);
  expect(left).toEqual([]);
  await liveConnections(killed.app).beat();
  await eventually(async () => expect(await connected()).toBe(1));
  await killed.close();
  expect(await connected()).toBe(0);
});

test('a session is removed when it was idle for 24 hours and nobody is connected; the next connect makes it again', async () => {
  const person = await w.person('Quat');
  const [uuid, open] = [randomUUID(), randomUUID()];
  const id = await idAs(person, uuid);
  const connected = await idAs(person, open);
  const end = liveConnections(w.app).open(connected);
  const ids = async () => (await seenBy(person)).map((session: { id: string }) => session.id).sort();
  await eventually(async () =>
    expect((await seenBy(person)).flatMap((s: { connections: [] }) => s.connections)).toHaveLength(1),
  );
  later = dayMs - minuteMs;
  await cleanUp(w.app);
  expect(await ids()).toEqual([id, connected].sort());
  later = dayMs + minuteMs;
  await cleanUp(w.app);
  expect(await ids()).toEqual([connected]);
  expect(await sessionFor(contextIn(w.app, person.viewer), { clientUuid: uuid })).toBe(id);
  expect(await ids()).toEqual([id, connected].sort());
  // Whoever leaves was there until then.
  end();
  await eventually(async () =>
    expect((await seenBy(person)).flatMap((s: { connections: [] }) => s.connections)).toEqual([]),
  );
  await cleanUp(w.app);
  expect(await ids()).toEqual([id, connected].sort());
});

test('a user has at most 100 sessions: the longest unused one goes, and none that is connected', async () => {
  const person = await w.person('Centa');
  const ctx = contextIn(w.app, person.viewer);
  later = -2 * dayMs;
  const first = await idAs(person, randomUUID());
  const end = liveConnections(w.app).open(first);
  const second = await idAs(person, randomUUID());
  later = 0;
  await eventually(async () =>
    expect((await seenBy(person)).flatMap((s: { connections: [] }) => s.connections)).toHaveLength(1),
  );
  for (let at = 0; at < 99; at += 1) await sessionFor(ctx, { clientUuid: randomUUID() });
  const left = await w.app.database.query<{ id: string }>('select id from "ClientSession" where "userId" = $1', [
    person.id,
  ]);
  expect(left).toHaveLength(100);
  expect(left.map(({ id }) => id)).toContain(first);
  expect(left.map(({ id }) => id)).not.toContain(second);
  end();
});

test('whoever closes their account leaves no client', async () => {
  const person = await signedIn(w);
  const uuid = randomUUID();
  const id = await idAs(person, uuid);
  liveConnections(w.app).open(id);
  await eventually(async () => expect((await seenBy(person))[0].connections).toHaveLength(1));
  await person.run('mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }', {
    input: { mode: 'ANONYMIZE' },
  });
  for (const [table, column] of [
    ['ClientSession', 'id'],
    ['ClientConnection', 'sessionId'],
  ])
    expect(await w.app.database.query(`select id from "${table}" where "${column}" = $1`, [id])).toEqual([]);
  await expect(sessionFor(contextIn(w.app, person.viewer), { clientUuid: uuid })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
});
