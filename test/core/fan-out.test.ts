import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '../../src/core/ids.js';
import { type Door, doorOf, filesOf } from '../support/files.js';
import { make } from '../support/tenancy.js';
import { treeOf } from '../support/tree.js';
import { type Person, viewerOf, type World, world } from '../support/world.js';

type Stream = Awaited<ReturnType<Person['hear']>>;

const roles = ['VIEWER', 'COMMENTER', 'EDITOR', 'ADMIN', 'OWNER'];
/** What clients want of a change differs. */
const selections = [
  'node { path version }',
  'node { value updatedBy { handle } }',
  'node { id createdBy { id profile { bio } } space { slug } }',
  'path node { comments(first: 2) { nodes { id } } }',
  'path',
];
const most = 10;
let w: World;
let door: Door;
let people: Person[];
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
  people = await crowd(1_000);
}, 120_000);
afterAll(async () => {
  await door.close();
  await w.close();
});

/** Members of the space, each in one more space of their own or of some others. */
async function crowd(count: number): Promise<Person[]> {
  const { query } = w.app.database;
  const ids = Array.from({ length: count }, () => newId('user'));
  const others = Array.from({ length: 40 }, () => newId('space'));
  await query(
    `insert into "User" (id, name, handle) select id, 'One of many', 'many-' || n from unnest($1::text[]) with ordinality u(id, n)`,
    [ids],
  );
  await query(
    `insert into "Space" (id, "organizationId", slug, name) select id, $2::text, 'many-' || n, 'Many' from unnest($1::text[]) with ordinality s(id, n)`,
    [others, w.organization.id],
  );
  await query(
    `insert into "SpaceMember" ("userId", "spaceId", role) select id, $2::text, ($3::text[])[n % 5 + 1]::"SpaceRole" from unnest($1::text[]) with ordinality u(id, n)`,
    [ids, w.space.id, roles],
  );
  await query(
    `insert into "SpaceMember" ("userId", "spaceId", role) select id, ($2::text[])[n % 40 + 1], 'EDITOR' from unnest($1::text[]) with ordinality u(id, n)`,
    [ids, others],
  );
  w.app.memory.forgetAll();
  return ids.map((id) => w.client(viewerOf(id)));
}

type Change = () => Promise<unknown>;

/** How many statements a change takes that nobody hears of. */
async function alone(change: Change): Promise<number> {
  await change();
  const from = w.statements.length;
  await change();
  return w.statements.length - from;
}

/** Everybody's next delivery, and how many statements all of them took together: those of the change itself do not count. */
async function heard(streams: readonly Stream[], change: Change, ofChange = 0) {
  const all = Promise.all(streams.map((stream) => stream.next()));
  const [from, began] = [w.statements.length, performance.now()];
  await change();
  const answers = await all;
  return { answers, statements: w.statements.length - from - ofChange, ms: performance.now() - began };
}

const stopAll = (streams: readonly Stream[]) => Promise.all(streams.map((stream) => stream.stop()));
const note = (text: string) => process.stderr.write(`  ${text}\n`);

describe.each([1, 200, 1_000])('an event that %d subscribers hear', (count) => {
  test('of a node, each with their own selection, takes few statements', async () => {
    const tree = treeOf(w.editor, w.space.id);
    const change = () => tree.put('/crowd', 2);
    // Elsewhere, so that nobody hears of it late.
    const ofChange = await alone(() => tree.put('/alone', 2));
    const streams = await Promise.all(
      people.slice(0, count).map((person, at) =>
        person.hear(
          `subscription ($id: ID!) { treeChanged(spaceId: $id, pathPrefix: "/crowd") { cursor type ${selections[at % 5]} } }`,
          {
            id: w.space.id,
          },
        ),
      ),
    );
    await heard(streams, change);
    const { answers, statements, ms } = await heard(streams, change, ofChange);
    note(`${count} subscribers of a node: ${statements} statements, ${ms.toFixed(0)} ms`);
    expect(statements).toBeLessThanOrEqual(most);
    for (const [at, { treeChanged }] of answers.entries()) {
      expect(treeChanged.type).toBe('tree.written');
      if (at % 5 === 1) expect(treeChanged.node).toMatchObject({ value: 2, updatedBy: { handle: expect.any(String) } });
    }
    await stopAll(streams);
  }, 120_000);

  test('of a file that not all of them may see takes few statements, and those alone hear of it', async () => {
    const files = filesOf(w.editor, w.space.id, door);
    const ready =
      'subscription ($id: ID!) { events(spaceId: $id, types: ["file.ready"]) { ... on Event { resourceId actor { handle } } } }';
    const streams = await Promise.all(people.slice(0, count).map((person) => person.hear(ready, { id: w.space.id })));
    // The word that they have caught up.
    await Promise.all(streams.map((stream) => stream.next()));
    const owners = streams.filter((_, at) => roles[(at + 1) % roles.length] === 'OWNER');
    let id = '';
    const upload = async (visibility: string) => {
      const { id: made } = await files.upload(Buffer.from(visibility), { name: `${newId('file')}.txt`, visibility });
      id = made;
    };
    const ofChange = await alone(() => upload('SPACE'));
    // What was made meanwhile is heard of first.
    for (const _ of ['first', 'second']) await Promise.all(streams.map((stream) => stream.next()));
    const told = await heard(owners, () => upload('PRIVATE'));
    expect(told.answers.map(({ events }) => events.resourceId)).toEqual(owners.map(() => id));
    const { answers, statements } = await heard(streams, () => upload('SPACE'), ofChange);
    note(`${count} subscribers of a file: ${statements} statements`);
    expect(statements).toBeLessThanOrEqual(most);
    expect(answers.map(({ events }) => events.resourceId)).toEqual(streams.map(() => id));
    await stopAll(streams);
  }, 120_000);

  test('and what changes roles of all, too', async () => {
    let n = 0;
    const rename = async () => {
      const space = await w.owner.run('query ($id: ID!) { space(by: { id: $id }) { version } }', { id: w.space.id });
      await make(w.owner, 'mutation ($input: UpdateSpaceInput!) { updateSpace(input: $input) { space { version } } }', {
        id: w.space.id,
        version: space.data.space.version,
        name: `Beds ${count} ${(n += 1)}`,
      });
    };
    const ofChange = await alone(rename);
    const updated =
      'subscription ($id: ID!) { events(spaceId: $id, types: ["space.updated"]) { ... on Event { type } } }';
    const streams = await Promise.all(people.slice(0, count).map((person) => person.hear(updated, { id: w.space.id })));
    await Promise.all(streams.map((stream) => stream.next()));
    const { statements, answers } = await heard(streams, rename, ofChange);
    note(`${count} subscribers whose roles are asked for anew: ${statements} statements`);
    expect(statements).toBeLessThanOrEqual(most);
    expect(answers.every(({ events }) => events.type === 'space.updated')).toBe(true);
    await stopAll(streams);
  }, 120_000);
});
