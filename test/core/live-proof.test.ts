import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { cursorOf } from '../../src/core/event-log.js';
import { type Balancer, balancerTo } from '../support/balancer.js';
import { freePort, type GatewayProcess, startProcess } from '../support/process.js';
import { make, newSpace } from '../support/tenancy.js';
import { type Wanderer, wanderer } from '../support/wanderer.js';
import { type Person, type World, world } from '../support/world.js';

/** `npm run proof:live` is the whole of it. */
const { clients, writes, stayMs, patienceMs } =
  process.env['LIVE_PROOF'] === 'full'
    ? { clients: 200, writes: 10_000, stayMs: 4_000, patienceMs: 900_000 }
    : { clients: 40, writes: 800, stayMs: 400, patienceMs: 110_000 };
const writers = 8;
const roles = ['VIEWER', 'COMMENTER', 'EDITOR', 'ADMIN'] as const;
const seesDrafts = new Set<string>(['EDITOR', 'ADMIN', 'OWNER']);

interface Member {
  readonly person: Person;
  readonly role: string;
  readonly key: string;
}

let w: World;
let spaceId: string;
let members: Member[];
let ownerKey: string;
let ports: number[];
let processes: GatewayProcess[];
let network: Balancer;
const wandering: Wanderer[] = [];

const createKey = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
const scopes = ['events:read', 'tree:read', 'tree:write', 'posts:read', 'posts:write'];
const keyOf = async (person: Person) =>
  (await make<{ secret: string }>(person, createKey, { name: 'proof', scopes })).secret;

const start = (port: number) =>
  startProcess({
    PORT: `${port}`,
    DATABASE_URL: w.databaseUrl,
    AUTH_SECRET: 'a secret for tests only, 32 characters',
    LOG_LEVEL: 'error',
    JOB_WORKERS: '0',
  });

beforeAll(async () => {
  w = await world();
  spaceId = (await newSpace(w.owner)).id;
  ownerKey = await keyOf(w.owner);
  members = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const role = roles[at % roles.length] ?? 'VIEWER';
      const person = await w.member(`Member ${at}`, spaceId, role);
      return { person, role, key: await keyOf(person) };
    }),
  );
  ports = [await freePort(), await freePort()];
  processes = await Promise.all(ports.map(start));
  network = await balancerTo(ports, { delayMs: 10 });
}, 120_000);
afterEach(async () => {
  await Promise.all(wandering.splice(0).map((one) => one.stop()));
});
afterAll(async () => {
  await network.close();
  await Promise.all(processes.map((one) => one.stop()));
  await w.close();
});

const note = (text: string) => process.stderr.write(`  ${text}\n`);

/** Sends a change until it is acknowledged, always with the same key. */
async function change(query: string, variables: object): Promise<void> {
  const body = JSON.stringify({ query, variables: { ...variables, key: randomUUID() } });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${ownerKey}` };
  for (;;) {
    const answer = await fetch(`${network.url}/graphql`, { method: 'POST', headers, body }).then(
      (response) => response.json() as Promise<{ data?: object; errors?: { extensions: { retryable?: boolean } }[] }>,
      // The connection was cut, or nobody is there: whether it was done is not known.
      () => null,
    );
    if (answer && !answer.errors) return;
    if (answer?.errors && !answer.errors[0]?.extensions.retryable) throw new Error(JSON.stringify(answer.errors));
    await sleep(20 + Math.random() * 50);
  }
}

const writeNode =
  'mutation ($input: WriteTreeNodeInput!, $key: String!) { writeTreeNode(input: $input) @idempotent(key: $key) { eventCursor } }';
const writeDraft =
  'mutation ($input: CreatePostInput!, $key: String!) { createPost(input: $input) @idempotent(key: $key) { eventCursor } }';

/** Changes that go on side by side until so many are acknowledged; answers the paths and titles of those. */
async function load(count: number, name: string, progress: (done: number) => void): Promise<string[]> {
  const acknowledged: string[] = [];
  let next = 0;
  const write = async () => {
    for (let n = next++; n < count; n = next++) {
      const mark = `/${name}/${n}`;
      if (n % 5 === 0) await change(writeDraft, { input: { spaceId, title: mark, content: mark } });
      else await change(writeNode, { input: { spaceId, path: mark, value: n } });
      acknowledged.push(mark);
      progress(acknowledged.length);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return acknowledged;
}

interface LogRow {
  readonly txid: string;
  readonly seq: string;
  readonly type: string;
  readonly resourceType: string;
  readonly mark: string | null;
  readonly userId: string | null;
}

/** The log of the space behind a cursor, as the database has it, and what somebody with a role may hear of it. */
async function logAfter(cursor: string) {
  const rows = await w.app.database.query<LogRow>(
    `select txid::text as txid, seq::text as seq, type, "resourceType", coalesce(related->>'path', (select title from "Post" p where p.id = "resourceId")) as mark,
      related->>'userId' as "userId" from "Event" where "spaceId" = $1 order by "Event".txid, "Event".seq`,
    [spaceId],
  );
  const all = rows.map((row) => ({ ...row, cursor: cursorOf({ txid: BigInt(row.txid), seq: BigInt(row.seq) }) }));
  const log = all.slice(all.findIndex((row) => row.cursor === cursor) + 1);
  const heardBy = (role: string) =>
    log.filter(({ resourceType }) => resourceType !== 'Post' || seesDrafts.has(role)).map((row) => row.cursor);
  return { log, heardBy };
}

/** Where a client begins that misses nothing from now on. */
async function cursorNow(): Promise<string> {
  const { data } = await w.owner.run(
    'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) { eventCursor } }',
    { input: { spaceId, path: '/begin', value: 0 } },
  );
  const [row] = await w.app.database.query<{ txid: string; seq: string }>(
    `select txid::text as txid, seq::text as seq from "Event" where "spaceId" = $1 order by "Event".txid desc, "Event".seq desc limit 1`,
    [spaceId],
  );
  expect(data.writeTreeNode.eventCursor).toEqual(expect.any(String));
  return cursorOf({ txid: BigInt(row?.txid ?? 0), seq: BigInt(row?.seq ?? 0) });
}

/** A client of each member in turn. */
function sendOut(count: number, after: string, stayMs: number | null) {
  return Array.from({ length: count }, (_, at) => {
    // Each has clients of both kinds.
    const member = members[Math.floor(at / 2) % members.length] as Member;
    const way = at % 2 === 0 ? 'socket' : 'stream';
    const client = wanderer({ url: network.url, key: member.key, spaceId, way, after, stayMs });
    wandering.push(client);
    return { client, member };
  });
}

type Sent = ReturnType<typeof sendOut>[number];

/** Waits until everybody has heard as much as they may, then looks at what that was. */
async function allHaveHeard(sent: readonly Sent[], heardBy: (role: string) => string[]): Promise<void> {
  const expected = new Map(roles.map((role) => [role as string, heardBy(role)]));
  const isBehind = ({ client, member }: Sent) => client.heard.length < (expected.get(member.role)?.length ?? 0);
  const until = performance.now() + patienceMs / 2;
  while (sent.some(isBehind) && performance.now() < until) await sleep(50);
  for (const { client, member } of sent) expect(client.heard).toEqual(expected.get(member.role));
}

const restarted = async (at: number, signal: NodeJS.Signals) => {
  const code = await processes[at]?.stop(signal);
  processes[at] = await start(ports[at] ?? 0);
  return code;
};

test(
  'whatever happens to connections and processes, everybody hears all that they may, once and in order',
  async () => {
    const after = await cursorNow();
    const sent = sendOut(clients, after, stayMs);
    const removed = members.slice(-2);
    const gone = sent.filter(({ member }) => removed.includes(member));
    const remove = async () => {
      while (gone.some(({ client }) => client.heard.length === 0)) await sleep(20);
      await Promise.all(removed.map(({ person }) => removeMember(person)));
    };
    const cutting = setInterval(() => network.cut(0.1), 2 * stayMs);
    const faults: Promise<unknown>[] = [];
    const at = new Map<number, () => Promise<unknown>>([
      [Math.floor(writes / 4), () => restarted(1, 'SIGKILL')],
      [Math.floor(writes / 2), remove],
      [Math.floor((writes * 3) / 4), () => restarted(1, 'SIGKILL')],
    ]);
    const began = performance.now();
    const acknowledged = await load(writes, 'proof', (done) => {
      const fault = at.get(done);
      if (fault) faults.push(Promise.all(faults).then(fault));
    });
    await Promise.all(faults);
    clearInterval(cutting);
    for (const { client } of sent) client.settle();

    const { log, heardBy } = await logAfter(after);
    const stayed = sent.filter(({ member }) => !removed.includes(member));
    await allHaveHeard(stayed, heardBy);
    for (const mark of acknowledged) expect(log.filter((row) => row.mark === mark)).toHaveLength(1);

    for (const { client, member } of gone) {
      const theirs = heardBy(member.role);
      const removal = log.find(({ type, userId }) => type === 'space.memberRemoved' && userId === member.person.id);
      expect(client.heard.length).toBeGreaterThan(0);
      expect(client.heard.length).toBeLessThanOrEqual(theirs.indexOf(removal?.cursor ?? ''));
      expect(client.heard).toEqual(theirs.slice(0, client.heard.length));
      expect(client.refused).toBe('NOT_FOUND');
    }
    const connections = sent.reduce((sum, { client }) => sum + client.connections, 0);
    expect(connections).toBeGreaterThan(2 * clients);
    note(
      `${clients} clients, ${log.length} events, ${connections} connections, ${((performance.now() - began) / 1_000).toFixed(0)} s`,
    );
  },
  patienceMs,
);

async function removeMember(person: Person): Promise<void> {
  const remove = 'mutation ($input: RemoveSpaceMemberInput!) { removeSpaceMember(input: $input) { removedUserId } }';
  await make(w.owner, remove, { spaceId, userId: person.id });
}

test(
  'when the servers are started anew one after the other, everybody goes on by themselves and no acknowledged change is lost',
  async () => {
    const after = await cursorNow();
    members = members.slice(0, -2);
    const sent = sendOut(Math.floor(clients / 2), after, null);
    let isOver = false;
    const restarts = (async () => {
      const codes = [await restarted(0, 'SIGTERM'), await restarted(1, 'SIGTERM')];
      isOver = true;
      return codes;
    })();
    const acknowledged: string[] = [];
    for (let round = 0; !isOver; round += 1) acknowledged.push(...(await load(40, `rolling/${round}`, () => {})));
    expect(await restarts).toEqual([0, 0]);

    const { log, heardBy } = await logAfter(after);
    await allHaveHeard(sent, heardBy);
    for (const mark of acknowledged) expect(log.filter((row) => row.mark === mark)).toHaveLength(1);
    for (const { client } of sent) expect(client.connections).toBeGreaterThan(1);
    note(
      `${acknowledged.length} changes acknowledged during two restarts; ${sent.length} clients heard ${log.length} events`,
    );
  },
  patienceMs,
);
