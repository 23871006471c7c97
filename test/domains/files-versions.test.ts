import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sha256 } from '../support/bytes.js';
import { type Door, documents, doorOf, filesOf } from '../support/files.js';
import { type World, world } from '../support/world.js';

let later = 0;
let w: World;
let door: Door;
let files: ReturnType<typeof filesOf>;
beforeAll(async () => {
  w = await world({ now: () => new Date(Date.now() + later) });
  door = await doorOf(w.app);
  files = filesOf(w.editor, w.space.id, door);
});
afterAll(async () => {
  await door.close();
  await w.close();
});

let names = 0;
const fresh = () => `file-${(names += 1)}.txt`;
const [first, second] = [Buffer.from('Sow beans.'), Buffer.from('Sow peas, in rows.')];
/** What a new version of a file is declared to be. */
const of = (fileId: string) => ({ fileId, name: null });
const textOf = async (answer: Response) => ({ status: answer.status, text: await answer.text() });

describe('versions', () => {
  test('an upload to a file makes its next version, and the ones before stay', async () => {
    const { id } = await files.upload(first, { name: fresh() });
    const changed = await files.upload(second, of(id));
    expect(changed).toMatchObject({ id, version: 2, checksum: sha256(second), sizeBytes: second.length });
    const { data } = await w.viewer.run(documents.versions, { id });
    const { totalCount, nodes } = data.file.versions;
    expect(totalCount).toBe(2);
    expect(nodes.map(({ number, checksum }: { number: number; checksum: string }) => [number, checksum])).toEqual([
      [2, sha256(second)],
      [1, sha256(first)],
    ]);
    expect(nodes[0].uploadedBy.id).toBe(w.editor.id);
    expect(await textOf(await door.fetch(nodes[1].url))).toEqual({ status: 200, text: first.toString() });
    expect(await textOf(await files.get(id))).toEqual({ status: 200, text: second.toString() });
  });

  test('an earlier version comes back without a copy, and the numbers stay', async () => {
    const { id } = await files.upload(first, { name: fresh() });
    await files.upload(second, of(id));
    const used = await files.used();
    const { data } = await files.run(documents.restore, { id, version: 2, number: 1 });
    expect(data.restoreFileVersion.file).toMatchObject({ checksum: sha256(first), version: 3 });
    expect(await files.used()).toBe(used);
    expect((await textOf(await files.get(id))).text).toBe(first.toString());
    await files.upload(second, of(id));
    const versions = await w.viewer.run(documents.versions, { id });
    expect(versions.data.file.versions.nodes.map(({ number }: { number: number }) => number)).toEqual([3, 2, 1]);
    expect(await files.run(documents.restore, { id, version: 4, number: 9 })).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await files.run(documents.restore, { id, version: 1, number: 1 })).toMatchObject({ code: 'CONFLICT' });
  });

  test('two uploads to one file at once become two versions', async () => {
    const { id } = await files.upload(first, { name: fresh() });
    await Promise.all([files.upload(second, of(id)), files.upload(first, of(id))]);
    const { data } = await w.viewer.run(documents.versions, { id });
    expect(data.file.versions.nodes.map(({ number }: { number: number }) => number)).toEqual([3, 2, 1]);
  });

  test('a version keeps the name, the folder and the visibility of its file', async () => {
    const { id } = await files.upload(first, { name: fresh() });
    for (const more of [{ name: 'x' }, { name: null, folderPath: '/' }, { name: null, visibility: 'PUBLIC' }])
      expect(await files.start(second, { fileId: id, ...more })).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await files.start(second, of('file_00000000000000000000000000'))).toMatchObject({ code: 'NOT_FOUND' });
    const elsewhere = await filesOf(w.owner, w.otherSpace.id, door).start(second, of(id));
    expect(elsewhere).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('an upload to a file that is deleted meanwhile comes to nothing', async () => {
    const { id } = await files.upload(first, { name: fresh() });
    const used = await files.used();
    const session = await files.started(second, of(id));
    await files.put(session, second);
    await files.run(documents.remove, { id, version: 1 });
    expect(await files.complete(session.id)).toMatchObject({ code: 'CONFLICT' });
    expect(await files.used()).toBe(used - first.length);
  });
});

describe('grants', () => {
  const file = 'query ($id: ID!) { file(id: $id) { id url } }';
  const sees = async (person: { run: World['viewer']['run'] }, id: string) =>
    (await person.run(file, { id })).data.file !== null;

  test('a person outside reads a private file while the grant stands', async () => {
    const { id } = await files.upload(first, { name: fresh(), visibility: 'PRIVATE' });
    expect(await sees(w.guest, id)).toBe(false);
    const { data, code } = await files.run(documents.grant, { fileId: id, user: { id: w.guest.id } });
    expect(code).toBeNull();
    expect(data.grantAccess).toMatchObject({
      url: null,
      accessGrant: { principal: 'USER', permission: 'READ', user: { id: w.guest.id } },
    });
    expect(await sees(w.guest, id)).toBe(true);
    expect(await sees(w.viewer, id)).toBe(false);
    expect((await door.fetch((await w.guest.run(file, { id })).data.file.url)).status).toBe(200);
    expect(await filesOf(w.guest, w.space.id, door).start(second, of(id))).toMatchObject({ code: 'FORBIDDEN' });
    await files.run(documents.revoke, { id: data.grantAccess.accessGrant.id });
    expect(await sees(w.guest, id)).toBe(false);
  });

  test('a grant to WRITE makes versions of that file and nothing more, until it is taken back', async () => {
    const { id } = await files.upload(first, { name: fresh(), visibility: 'PRIVATE' });
    const theirs = filesOf(w.guest, w.space.id, door);
    const { data } = await files.run(documents.grant, { fileId: id, user: { id: w.guest.id }, permission: 'WRITE' });
    expect(await theirs.upload(second, of(id))).toMatchObject({ id, checksum: sha256(second) });
    expect(await theirs.run(documents.restore, { id, version: 2, number: 1 })).toMatchObject({ code: null });
    expect(await theirs.run(documents.remove, { id, version: 3 })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await theirs.run(documents.update, { id, version: 3, visibility: 'PUBLIC' })).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await theirs.run(documents.grant, { fileId: id, user: { id: w.viewer.id } })).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await theirs.start(second, { name: fresh() })).toMatchObject({ code: 'FORBIDDEN' });
    const session = await theirs.started(second, of(id));
    await theirs.put(session, second);
    await files.run(documents.revoke, { id: data.grantAccess.accessGrant.id });
    expect(await theirs.complete(session.id)).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a grant ends when it says, and a second one to a person takes the place of the first', async () => {
    const { id } = await files.upload(first, { name: fresh(), visibility: 'PRIVATE' });
    const give = (more: object) => files.run(documents.grant, { fileId: id, user: { id: w.guest.id }, ...more });
    const one = await give({ permission: 'WRITE' });
    const two = await give({ expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    expect(two.data.grantAccess.accessGrant).toMatchObject({
      id: one.data.grantAccess.accessGrant.id,
      permission: 'READ',
    });
    await w.app.database.query(
      `update "AccessGrant" set "expiresAt" = now() - interval '1 second' where "fileId" = $1`,
      [id],
    );
    expect(await sees(w.guest, id)).toBe(false);
    expect(await give({ expiresAt: new Date(Date.now() - 1_000).toISOString() })).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });

  test('a link reads the file for anyone who has it, until it ends or is taken back', async () => {
    const { id } = await files.upload(first, { name: fresh(), visibility: 'PRIVATE' });
    const { data } = await files.run(documents.grant, { fileId: id });
    const { url, accessGrant } = data.grantAccess;
    expect(await textOf(await door.fetch(url))).toEqual({ status: 200, text: first.toString() });
    expect((await door.fetch(url)).headers.get('cache-control')).toBe('private, no-cache');
    await files.upload(second, of(id));
    expect((await textOf(await door.fetch(url))).text).toBe(second.toString());
    expect((await door.fetch(`${url}x`)).status).toBe(404);
    expect((await door.fetch(url.replace(/token=.*/, 'token='))).status).toBe(404);
    later = 8 * 24 * 3_600_000;
    expect((await door.fetch(url)).status).toBe(404);
    later = 0;
    expect(JSON.stringify(await w.app.database.query('select * from "AccessGrant"', []))).not.toContain(
      new URL(url).searchParams.get('token'),
    );
    await files.run(documents.revoke, { id: accessGrant.id });
    expect((await door.fetch(url)).status).toBe(404);
    expect(await files.run(documents.grant, { fileId: id, permission: 'WRITE' })).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    const year = new Date(Date.now() + 366 * 24 * 3_600_000).toISOString();
    expect(await files.run(documents.grant, { fileId: id, expiresAt: year })).toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  test('whom a file is shared with is seen by its owner, an ADMIN, and each of them for themselves', async () => {
    const { id } = await files.upload(first, { name: fresh() });
    await files.run(documents.grant, { fileId: id, user: { id: w.guest.id } });
    await files.run(documents.grant, { fileId: id, user: { id: w.viewer.id } });
    await files.run(documents.grant, { fileId: id });
    const count = async (person: { run: World['viewer']['run'] }) =>
      (await person.run('query ($id: ID!) { file(id: $id) { grants { totalCount nodes { user { id } } } } }', { id }))
        .data.file.grants;
    expect((await count(w.editor)).totalCount).toBe(3);
    expect((await count(w.admin)).totalCount).toBe(3);
    expect((await count(w.guest)).nodes).toEqual([{ user: { id: w.guest.id } }]);
    expect((await count(w.commenter)).totalCount).toBe(0);
  });

  test('whom one may not see, one cannot grant to', async () => {
    const { id } = await files.upload(first, { name: fresh() });
    for (const userId of [w.stranger.id, 'user_00000000000000000000000000'])
      expect(await files.run(documents.grant, { fileId: id, user: { id: userId } })).toMatchObject({
        code: 'NOT_FOUND',
      });
  });
});

test('who closes their account leaves their files to the space, and no grant', async () => {
  const leaver = await w.member('Lea', w.space.id, 'EDITOR');
  const theirs = filesOf(leaver, w.space.id, door);
  const [shown, hidden] = [
    await theirs.upload(first, { name: fresh() }),
    await theirs.upload(first, { name: fresh(), visibility: 'PRIVATE' }),
  ];
  const granted = await files.upload(first, { name: fresh(), visibility: 'PRIVATE' });
  await files.run(documents.grant, { fileId: granted.id, user: { id: leaver.id } });
  const closed = await leaver.run('mutation ($i: DeleteUserInput!) { deleteUser(input: $i) { deletedUserId } }', {
    i: { mode: 'TRANSFER', to: w.editor.id },
  });
  expect(closed.code).toBeNull();
  for (const { id } of [shown, hidden]) {
    const { data } = await w.editor.run('query ($id: ID!) { file(id: $id) { owner { id } } }', { id });
    expect(data.file.owner.id).toBe(w.editor.id);
  }
  const alone = await w.member('Ole', w.space.id, 'EDITOR');
  const kept = await filesOf(alone, w.space.id, door).upload(first, { name: fresh(), visibility: 'PRIVATE' });
  await alone.run('mutation ($i: DeleteUserInput!) { deleteUser(input: $i) { deletedUserId } }', {
    i: { mode: 'ANONYMIZE' },
  });
  const owned = 'query ($id: ID!) { file(id: $id) { owner { id } url } }';
  expect((await w.owner.run(owned, { id: kept.id })).data.file).toMatchObject({ owner: null });
  expect((await w.editor.run(owned, { id: kept.id })).data.file).toBeNull();
  const grants = await w.app.database.query('select id from "AccessGrant" where "userId" = $1', [leaver.id]);
  expect(grants).toEqual([]);
});
