import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bytesOf } from '../support/bytes.js';
import { type Door, documents, doorOf, filesOf, partBytes } from '../support/files.js';
import { make, newSpace } from '../support/tenancy.js';
import { type Person, viewerOf, type World, world } from '../support/world.js';

const large = bytesOf(8 * partBytes + 1);
const small = Buffer.from('Sow beans.');
const octets = { mimeType: 'application/octet-stream' };

let w: World;
let door: Door;
let spaceId: string;
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
  spaceId = (await newSpace(w.owner)).id;
});
afterAll(async () => {
  await door.close();
  await w.close();
});

const remove = (person: Person) =>
  w.owner.run('mutation ($i: RemoveSpaceMemberInput!) { removeSpaceMember(input: $i) { removedUserId } }', {
    i: { spaceId, userId: person.id },
  });

/** An upload that is so large that it is checked behind the answer, sent and completed. */
async function checking(person: Person, name: string): Promise<string> {
  const files = filesOf(person, spaceId, door);
  const session = await files.started(large, { name, ...octets });
  for (let number = 1; number <= session.partCount; number += 1) await files.put(session, large, number);
  expect((await files.complete(session.id)).data.completeUpload.uploadSession.status).toBe('CHECKING');
  return session.id;
}

test('a large upload becomes a file only if its sender, and the key they sent it with, may still do that when it is checked', async () => {
  const owner = filesOf(w.owner, spaceId, door);
  const before = await owner.used();
  const sender = await w.member('Sid', spaceId, 'EDITOR');
  const keyed = await w.member('Kim', spaceId, 'EDITOR');
  const create = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }';
  const scopes = ['files:read', 'files:write'];
  const { apiKey } = await make<{ apiKey: { id: string } }>(keyed, create, { name: 'sends', scopes });
  const byKey = w.client(viewerOf(keyed.id, { apiKeyId: apiKey.id, scopes: new Set(scopes) }));
  const [one, two] = [await checking(sender, 'one.bin'), await checking(byKey, 'two.bin')];
  await remove(sender);
  await w.app.database.query('update "ApiKey" set "revokedAt" = now() where id = $1', [apiKey.id]);
  await w.runJobs();
  for (const [id, fault] of [
    [one, 'Not found.'],
    [two, 'The key it was completed with does not count any more.'],
  ] as const)
    expect((await owner.session(id)).data.node).toMatchObject({ status: 'REJECTED', fault, file: null });
  expect(await owner.used()).toBe(before);
  const list = 'query ($id: ID!) { space(by: { id: $id }) { files { totalCount } } }';
  expect((await w.owner.run(list, { id: spaceId })).data.space.files.totalCount).toBe(0);
});

test('who is no longer in the space knows nothing more of the uploads they began there', async () => {
  const sender = await w.member('Ute', spaceId, 'EDITOR');
  const files = filesOf(sender, spaceId, door);
  const session = await files.started(small, { name: 'beans.txt' });
  expect((await files.session(session.id)).data.node).toMatchObject({ status: 'OPEN' });
  await remove(sender);
  expect((await files.session(session.id)).data.node).toBeNull();
  const absent = 'upload_00000000000000000000000000';
  for (const document of [documents.complete, documents.abort]) {
    const [hidden, none] = [await files.run(document, { id: session.id }), await files.run(document, { id: absent })];
    expect(hidden.code).toBe('NOT_FOUND');
    const said = ({ errors }: typeof hidden) =>
      JSON.stringify(errors)
        .replace(/"requestId":"[^"]*"/, '')
        .replaceAll(session.id, absent);
    expect(said(hidden)).toBe(said(none));
  }
  expect((await filesOf(w.owner, spaceId, door).session(session.id)).data.node).toMatchObject({ status: 'OPEN' });
});

test('who may write one file of a space sees their uploads to it, as long as they may', async () => {
  const helper = await w.person('Hanna');
  const owner = filesOf(w.owner, spaceId, door);
  const file = await owner.upload(small, { name: 'shared.txt' });
  await w.app.database.prisma.user.update({ where: { id: helper.id }, data: { handle: 'hanna-helps' } });
  const [grant] = await w.app.database.query<{ id: string }>(
    `insert into "AccessGrant" (id, "fileId", "spaceId", principal, "userId", permission) values ('grant_helper', $1, $2, 'USER', $3, 'WRITE') returning id`,
    [file.id, spaceId, helper.id],
  );
  const theirs = filesOf(helper, spaceId, door);
  const session = await theirs.started(small, { fileId: file.id, name: null });
  expect((await theirs.session(session.id)).data.node).toMatchObject({ status: 'OPEN' });
  await theirs.put(session, small);
  expect(await theirs.complete(session.id)).toMatchObject({ code: null });
  const second = await theirs.started(small, { fileId: file.id, name: null });
  await owner.run(documents.revoke, { id: grant?.id ?? '' });
  expect((await theirs.session(second.id)).data.node).toBeNull();
  expect(await theirs.run(documents.abort, { id: second.id })).toMatchObject({ code: 'NOT_FOUND' });
});
