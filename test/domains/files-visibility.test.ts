import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Visibility } from '../../src/generated/graphql.js';
import { eventually } from '../support/eventually.js';
import { type Door, documents, doorOf, filesOf, toldOf, type Uploaded } from '../support/files.js';
import { newSpace } from '../support/tenancy.js';
import { type Person, viewerOf, type World, world } from '../support/world.js';

let w: World;
let door: Door;
const byVisibility = new Map<Visibility, Uploaded>();
const bytes = Buffer.from('Sow beans.');
let mate: Person;

beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
  mate = await w.person('Otto');
  await w.app.database.prisma.organizationMember.create({
    data: { organizationId: w.organization.id, userId: mate.id, role: 'MEMBER' },
  });
  const files = filesOf(w.editor, w.space.id, door);
  for (const visibility of ['PRIVATE', 'SPACE', 'ORGANIZATION', 'PUBLIC'] as const)
    byVisibility.set(visibility, await files.upload(bytes, { name: `${visibility}.txt`, visibility }));
});
afterAll(async () => {
  await door.close();
  await w.close();
});

/** Who sees what: its maker (an EDITOR), the OWNER, an ADMIN, a VIEWER, a mate of the organization, a stranger, nobody. */
const actors = ['editor', 'owner', 'admin', 'viewer', 'mate', 'stranger', 'nobody'] as const;
const expected: Readonly<Record<Visibility, string>> = {
  PRIVATE: 'yes yes no no no no no',
  SPACE: 'yes yes yes yes no no no',
  ORGANIZATION: 'yes yes yes yes yes no no',
  PUBLIC: 'yes yes yes yes yes yes yes',
};
const personOf = (actor: (typeof actors)[number]) => (actor === 'mate' ? mate : w[actor]);
const rows = Object.entries(expected).flatMap(([visibility, line]) =>
  line.split(' ').map((sees, at) => [visibility as Visibility, actors[at] ?? 'nobody', sees === 'yes'] as const),
);
const idOf = (visibility: Visibility) => byVisibility.get(visibility)?.id ?? '';

describe('a file is seen the same way on every road', () => {
  test.each(rows)('%s by %s: %s', async (visibility, actor, sees) => {
    const person = personOf(actor);
    const id = idOf(visibility);
    const { data } = await person.run(
      'query ($id: ID!) { file(id: $id) { id url versions { totalCount nodes { url } } } }',
      { id },
    );
    expect(data.file?.id ?? null).toBe(sees ? id : null);
    if (sees) {
      expect(data.file.versions.totalCount).toBe(1);
      expect((await door.fetch(data.file.url)).status).toBe(200);
    }
    if (actor === 'nobody') return;
    const roads = await person.run(
      `query ($id: ID!, $space: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id }
        space(by: { id: $space }) { files(first: 100) { totalCount nodes { id } } } }`,
      { id, space: w.space.id },
    );
    expect(roads.data.node?.id ?? null).toBe(sees ? id : null);
    expect(roads.data.nodes[0]?.id ?? null).toBe(sees ? id : null);
    const listed = roads.data.space?.files.nodes.map((file: { id: string }) => file.id) ?? [];
    if (roads.data.space) {
      expect(listed.includes(id)).toBe(sees);
      expect(roads.data.space.files.totalCount).toBe(listed.length);
    }
    const found = await w
      .client(person.viewer)
      .run('query ($id: ID!) { file(id: $id) { folder { id } grants { totalCount } } }', { id });
    expect(found.data.file !== null).toBe(sees);
  });
});

test('a subscription tells of a file whom it is visible to, also of its end', async () => {
  const changes = 'subscription ($id: ID!) { fileChanged(spaceId: $id) { type resourceId file { name } } }';
  const [viewer, owner] = [
    await w.viewer.hear(changes, { id: w.space.id }),
    await w.owner.hear(changes, { id: w.space.id }),
  ];
  const files = filesOf(w.editor, w.space.id, door);
  const hidden = await files.upload(bytes, { name: 'hidden.txt', visibility: 'PRIVATE' });
  await files.run(documents.remove, { id: hidden.id, version: 1 });
  const shown = await files.upload(bytes, { name: 'shown.txt' });
  const ids = [hidden.id, shown.id];
  const told = (await toldOf(owner, ids, 3)).map(({ type, resourceId }) => [type, resourceId]);
  expect(told).toEqual([
    ['file.ready', hidden.id],
    ['file.deleted', hidden.id],
    ['file.ready', shown.id],
  ]);
  const [first] = await toldOf(viewer, ids, 1);
  expect(first).toEqual({ type: 'file.ready', resourceId: shown.id, file: { name: 'shown.txt' } });
  await viewer.stop();
  await owner.stop();
});

test('the event log tells of a file, and of its upload, whom they are visible to, and its pages stay full', async () => {
  const space = await newSpace(w.owner);
  await w.app.database.prisma.spaceMember.createMany({
    data: [
      { spaceId: space.id, userId: w.editor.id, role: 'EDITOR' },
      { spaceId: space.id, userId: w.viewer.id, role: 'VIEWER' },
    ],
  });
  w.app.memory.forgetAll();
  const files = filesOf(w.editor, space.id, door);
  const hidden: string[] = [];
  for (const name of ['a.txt', 'b.txt', 'c.txt'])
    hidden.push((await files.upload(bytes, { name, visibility: 'PRIVATE' })).id);
  await files.run(documents.remove, { id: hidden[0], version: 1 });
  const shown = [await files.upload(bytes, { name: 'd.txt' }), await files.upload(bytes, { name: 'e.txt' })];
  const log = `query ($id: ID!, $after: EventCursor) { events(spaceId: $id, after: $after, first: 2) {
    nodes { type resourceId } pageInfo { hasNextPage endCursor } } }`;
  const read = async (person: Person) => {
    const ids: string[] = [];
    for (let after: string | null = null; ; ) {
      const { data } = await person.run(log, { id: space.id, after });
      const { nodes, pageInfo } = data.events;
      ids.push(...nodes.map(({ resourceId }: { resourceId: string }) => resourceId));
      if (!pageInfo.hasNextPage) return ids;
      expect(nodes).toHaveLength(2);
      after = pageInfo.endCursor;
    }
  };
  await eventually(async () => {
    expect(await read(w.owner)).toEqual(expect.arrayContaining([...hidden, ...shown.map(({ id }) => id)]));
  });
  const seen = await read(w.viewer);
  expect(seen.filter((id) => id.startsWith('file_'))).toEqual(shown.map(({ id }) => id));
  expect(seen.filter((id) => id.startsWith('upload_'))).toEqual([]);
});

test('the event log names no file by its name', async () => {
  await filesOf(w.editor, w.space.id, door).upload(bytes, { name: 'confidential.txt', visibility: 'PRIVATE' });
  const rows = await w.app.database.query<{ related: object }>(
    `select related from "Event" where "resourceType" = 'File'`,
    [],
  );
  expect(rows.length).toBeGreaterThan(4);
  expect(JSON.stringify(rows)).not.toMatch(/txt/);
});

test('who has left the space, or comes with a key for another, does not see even their own file', async () => {
  const leaver = await w.member('Lena', w.space.id, 'EDITOR');
  const { id } = await filesOf(leaver, w.space.id, door).upload(bytes, { name: 'mine.txt', visibility: 'PRIVATE' });
  const sees = async (person: Person) =>
    (await person.run('query ($id: ID!) { file(id: $id) { id } }', { id })).data.file !== null;
  const key = (spaceId: string) =>
    w.client(viewerOf(leaver.id, { apiKeyId: 'key', scopes: new Set(['files:read']), spaceIds: new Set([spaceId]) }));
  expect(await sees(leaver)).toBe(true);
  expect(await sees(key(w.space.id))).toBe(true);
  expect(await sees(key(w.otherSpace.id))).toBe(false);
  await w.app.database.query('delete from "SpaceMember" where "userId" = $1', [leaver.id]);
  w.app.memory.forgetAll();
  expect(await sees(leaver)).toBe(false);
});

test('a key that is restricted to another space is not anyone: it does not see public files here', async () => {
  const key = w.client(
    viewerOf(w.owner.id, { apiKeyId: 'key', scopes: new Set(['files:read']), spaceIds: new Set([w.otherSpace.id]) }),
  );
  expect((await key.run('query ($id: ID!) { file(id: $id) { id } }', { id: idOf('PUBLIC') })).data.file).toBeNull();
});

test('files of a deleted space are nobody’s to see', async () => {
  const gone = await w.app.database.prisma.space.create({
    data: { id: 'space_00000000000000000000000001', organizationId: w.organization.id, slug: 'gone', name: 'Gone' },
  });
  const owner = await w.member('Gina', gone.id, 'OWNER');
  const { id } = await filesOf(owner, gone.id, door).upload(bytes, { visibility: 'PUBLIC' });
  const url = (await owner.run('query ($id: ID!) { file(id: $id) { url } }', { id })).data.file.url;
  await owner.run('mutation ($i: DeleteSpaceInput!) { deleteSpace(input: $i) { deletedSpaceId } }', {
    i: { id: gone.id, version: 1 },
  });
  for (const person of [owner, w.nobody, mate])
    expect((await person.run('query ($id: ID!) { file(id: $id) { id } }', { id })).data.file).toBeNull();
  expect((await door.fetch(url)).status).toBe(404);
});

test('an OWNER who opens somebody’s private file is in the audit log', async () => {
  const id = idOf('PRIVATE');
  await w.owner.run('query ($id: ID!) { file(id: $id) { url } }', { id });
  await w.app.readAudit.flush();
  const entries = await w.app.database.query(
    `select id from "AuditEvent" where action = 'file.read' and "resourceId" = $1 and "userId" = $2`,
    [id, w.owner.id],
  );
  expect(entries.length).toBeGreaterThan(0);
});

test('only its owner and an ADMIN say who sees a file', async () => {
  const files = filesOf(w.editor, w.space.id, door);
  const { id } = await files.upload(bytes, { name: 'whose.txt' });
  const other = await w.member('Emil', w.space.id, 'EDITOR');
  const show = (person: Person, version: number) =>
    person.run(documents.update, { input: { id, version, visibility: 'PUBLIC' } });
  expect(await show(other, 1)).toMatchObject({ code: 'FORBIDDEN' });
  expect(await other.run(documents.update, { input: { id, version: 1, name: 'ours.txt' } })).toMatchObject({
    code: null,
  });
  expect(await show(w.editor, 2)).toMatchObject({ code: null });
  expect(await show(w.admin, 3)).toMatchObject({ code: null });
});

test('a file that somebody does not see keeps its name from nobody, and from those who see it as any other', async () => {
  const space = await newSpace(w.owner);
  const [fay, eve] = [await w.member('Fay', space.id, 'EDITOR'), await w.member('Eve', space.id, 'EDITOR')];
  const [hers, mine, owners] = [fay, eve, w.owner].map((person) => filesOf(person, space.id, door));
  if (!hers || !mine || !owners) throw new Error('Somebody is missing.');
  await owners.folder('/plans');
  const hidden = await hers.upload(bytes, { name: 'a.txt', visibility: 'PRIVATE' });
  expect(await hers.start(bytes, { name: 'a.txt' })).toMatchObject({ code: 'CONFLICT' });

  const made = await mine.upload(bytes, { name: 'a.txt' });
  expect(await mine.run(documents.remove, { id: made.id, version: 1 })).toMatchObject({ code: null });
  const { id } = await mine.upload(bytes, { name: 'b.txt', folderPath: '/plans' });
  expect(await mine.run(documents.update, { id, version: 1, name: 'a.txt' })).toMatchObject({ code: null });
  const moved = await mine.run(documents.move, { id, version: 2, toFolderPath: '/' });
  expect(moved.data.moveFile.file).toMatchObject({ path: '/a.txt', version: 3 });

  const list = `query ($id: ID!, $after: String) { space(by: { id: $id }) {
    files(filter: { folderPath: "/" }, orderBy: NAME_ASC, first: 1, after: $after) { totalCount nodes { id } pageInfo { endCursor } } } }`;
  const paged = async (person: Person) => {
    const found: string[] = [];
    for (let after: string | null = null; ; ) {
      const { data } = await person.run(list, { id: space.id, after });
      const { totalCount, nodes, pageInfo } = data.space.files;
      found.push(...nodes.map((one: { id: string }) => one.id));
      if (nodes.length === 0 || found.length === totalCount) return found;
      after = pageInfo.endCursor;
    }
  };
  expect(await paged(eve)).toEqual([id]);
  expect(await paged(w.owner)).toEqual([hidden.id, id]);

  const show = { id: hidden.id, version: 1, visibility: 'SPACE' };
  expect(await hers.run(documents.update, show)).toMatchObject({ code: 'CONFLICT' });
  expect(await hers.run(documents.update, { ...show, name: 'c.txt' })).toMatchObject({ code: null });
  expect(await mine.start(bytes, { name: 'c.txt' })).toMatchObject({ code: 'CONFLICT' });
});

test('of two who give the same name at once, one is refused where both see both', async () => {
  const space = await newSpace(w.owner);
  const files = filesOf(w.owner, space.id, door);
  const ids = await Promise.all(
    ['a.txt', 'b.txt', 'c.txt'].map(async (name) => (await files.upload(bytes, { name })).id),
  );
  const answers = await Promise.all(ids.map((id) => files.run(documents.update, { id, version: 1, name: 'same.txt' })));
  expect(answers.map(({ code }) => code ?? 'ok').sort()).toEqual(['CONFLICT', 'CONFLICT', 'ok']);
});
