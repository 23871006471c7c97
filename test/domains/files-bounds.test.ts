import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { maxGrants } from '../../src/domains/files/grant.js';
import { maxUploads } from '../../src/domains/files/upload.js';
import { type Door, documents, doorOf, filesOf } from '../support/files.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

const dayMs = 24 * 3_600_000;
const bytes = Buffer.from('Sow beans in April.');

let later = 0;
let w: World;
let door: Door;
beforeAll(async () => {
  w = await world({ now: () => new Date(Date.now() + later) });
  door = await doorOf(w.app);
});
afterAll(async () => {
  await door.close();
  await w.close();
});

test('a file has a bounded number of grants, also when many are given at once; revoked and expired ones make room', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  const files = filesOf(w.owner, spaceId, door);
  const { id: fileId } = await files.upload(bytes);
  const link = (more: object = {}) => files.run(documents.grant, { fileId, ...more });
  for (let n = 0; n < maxGrants - 5; n += 1) expect(await link()).toMatchObject({ code: null });
  const answers = await Promise.all(Array.from({ length: 10 }, () => link()));
  expect(answers.filter(({ code }) => code === null)).toHaveLength(5);
  expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([null, 'QUOTA_EXCEEDED']));
  expect(await link({ user: { id: w.editor.id } })).toMatchObject({ code: 'QUOTA_EXCEEDED' });
  const list = `query ($id: ID!) { file(id: $id) { grants(first: 100) { totalCount nodes { id } } } }`;
  const granted = async () => (await w.owner.run(list, { id: fileId })).data.file.grants;
  const { nodes, totalCount } = await granted();
  expect([nodes.length, totalCount]).toEqual([maxGrants, maxGrants]);
  await files.run(documents.revoke, { id: nodes[0].id });
  expect(await link()).toMatchObject({ code: null });
  later = 8 * dayMs;
  expect(await link()).toMatchObject({ code: null });
  expect((await granted()).totalCount).toBe(1);
  later = 0;
});

test('somebody has a bounded number of uploads under way in a space, also when many are begun at once; room is taken for none beyond', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  await w.app.database.prisma.spaceMember.create({ data: { spaceId, userId: w.editor.id, role: 'EDITOR' } });
  w.app.memory.forgetAll();
  const [files, others] = [filesOf(w.owner, spaceId, door), filesOf(w.editor, spaceId, door)];
  let names = 0;
  const start = (who = files) => who.start(bytes, { name: `${(names += 1)}.txt` });
  const first = await files.started(bytes, { name: 'first.txt' });
  for (let n = 1; n < maxUploads.person - 5; n += 1) expect(await start()).toMatchObject({ code: null });
  const answers = await Promise.all(Array.from({ length: 10 }, () => start()));
  expect(answers.filter(({ code }) => code === null)).toHaveLength(5);
  expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([null, 'QUOTA_EXCEEDED']));
  expect(await files.used()).toBe(maxUploads.person * bytes.length);
  expect(await start(others)).toMatchObject({ code: null });
  await files.run(documents.abort, { id: first.id });
  expect(await start()).toMatchObject({ code: null });
  await w.app.database.query(
    `insert into "UploadSession" (id, "spaceId", "fileId", "versionId", "isNew", name, "mimeType", "sizeBytes", checksum, visibility, "expiresAt")
     select 'upload_' || i, $1, 'file_' || i, 'fver_' || i, true, 'n' || i, 'text/plain', 1, 'c', 'SPACE', now() + interval '1 hour' from generate_series(1, $2::int) i`,
    [spaceId, maxUploads.space - maxUploads.person - 1],
  );
  expect(await start(others)).toMatchObject({ code: 'QUOTA_EXCEEDED' });
});
