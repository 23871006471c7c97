import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deadlocksOf } from '../support/deadlocks.js';
import { type Door, documents, doorOf, filesOf } from '../support/files.js';
import { newSpace } from '../support/tenancy.js';
import { type World, world } from '../support/world.js';

const bytes = Buffer.from('Sow beans.');

let w: World;
let door: Door;
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
});
afterAll(async () => {
  await door.close();
  await w.close();
});

const people = 12;
const turns = 30;

test('whatever is done to a few files, folders, uploads and grants at once, nobody waits in a circle, and room is counted right', async () => {
  const { id: spaceId } = await newSpace(w.owner);
  const files = filesOf(w.owner, spaceId, door);
  const helper = await w.person('Hanna');
  const theirs = filesOf(helper, spaceId, door);
  const deadlocks = deadlocksOf(w.app);
  let seed = 11;
  const roll = (sides: number) => (seed = (seed * 48271) % 2147483647) % sides;
  const names = ['a.txt', 'b.txt', 'c.txt'];
  const name = () => names[roll(names.length)] ?? '';
  const folder = () => (roll(2) ? '/' : '/plans');
  const listed = `query ($id: ID!) { space(by: { id: $id }) { files(first: 20) { nodes { id version } } } folder(spaceId: $id, path: "/plans") { id version } }`;
  type Place = { files: readonly { id: string; version: number }[]; folder: { id: string; version: number } | null };
  const look = async (): Promise<Place> => {
    const { data } = await w.owner.run(listed, { id: spaceId });
    return { files: data.space.files.nodes, folder: data.folder };
  };
  const known: string[] = [];
  const oneOf = async () => {
    const { files: found } = await look();
    return found[roll(Math.max(1, found.length))] ?? { id: 'file_none', version: 1 };
  };
  const send = async (who: typeof files, more: object) => {
    const { data } = await who.start(bytes, more);
    if (!data) return;
    const session = data.startUpload.uploadSession;
    known.push(session.id);
    await who.put(session, bytes);
    if (roll(4)) await Promise.all([who.complete(session.id), who.complete(session.id)].slice(roll(2)));
  };
  const acts = [
    () => send(files, { name: name(), folderPath: folder() }),
    async () => send(files, { fileId: (await oneOf()).id, name: null }),
    async () => {
      const { id } = await oneOf();
      await files.run(documents.grant, { fileId: id, user: { id: w.editor.id } });
      await w.app.database.query(
        `insert into "AccessGrant" (id, "fileId", "spaceId", principal, "userId", permission) select 'grant_' || id, id, "spaceId", 'USER', $2, 'WRITE' from "File" where id = $1
         on conflict do nothing`,
        [id, helper.id],
      );
      await Promise.all([
        send(theirs, { fileId: id, name: null }),
        files.run(documents.grant, { fileId: id, user: { id: w.editor.id }, permission: 'WRITE' }),
      ]);
    },
    async () => files.run(documents.remove, await oneOf()),
    async () => files.run(documents.restore, { ...(await oneOf()), number: 1 }),
    async () => files.run(documents.move, { ...(await oneOf()), toFolderPath: folder() }),
    () => files.run(documents.abort, { id: known[roll(Math.max(1, known.length))] ?? 'upload_none' }),
    async () => {
      const { folder: plans } = await look();
      if (plans) await files.run(documents.deleteFolder, { ...plans, recursive: true });
      else await files.folder('/plans');
    },
  ];
  const person = async () => {
    for (let n = 0; n < turns; n += 1) await acts[roll(acts.length)]?.();
  };
  await Promise.all(Array.from({ length: people }, person));
  expect(deadlocks.count).toBe(0);
  const [row] = await w.app.database.query<{ held: string }>(
    `select ((select coalesce(sum(v."sizeBytes"), 0) from "FileVersion" v join "File" f on f.id = v."fileId" and f."deletedAt" is null where f."spaceId" = $1)
      + (select coalesce(sum("sizeBytes"), 0) from "UploadSession" where "spaceId" = $1 and status in ('OPEN', 'CHECKING')))::text as held`,
    [spaceId],
  );
  expect(await files.used()).toBe(Number(row?.held));
  const left = await w.app.database.query(
    `select u.id from "UploadSession" u join "File" f on f.id = u."fileId" where u."spaceId" = $1 and u.status in ('OPEN', 'CHECKING') and f."deletedAt" is not null`,
    [spaceId],
  );
  expect(left).toEqual([]);
}, 120_000);
