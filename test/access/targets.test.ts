import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { getNamedType, isLeafType, isNonNullType, isObjectType } from 'graphql';
import { type Door, declared, documents, doorOf } from '../support/files.js';
import { type Answer, type Person, schema, type World, world } from '../support/world.js';
import { type Actor, actorNames } from './file-stage.js';
import { type Scene, scene } from './scene.js';

let w: World;
let door: Door;
const scenes: Scene[] = [];
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
  for (const visibility of ['PRIVATE', 'PUBLIC'] as const) scenes.push(await scene(w, door, visibility));
}, 120_000);
afterAll(async () => {
  await door.close();
  await w.close();
});

/** The fields of nodes that are never null and lead to one other thing. */
const targets = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter((type) => type.getInterfaces().some(({ name }) => name === 'Node'))
  .flatMap((type) =>
    Object.values(type.getFields())
      .filter(({ type: answer, args }) => args.length === 0 && isNonNullType(answer) && 'name' in answer.ofType)
      .filter(({ type: answer }) => !isLeafType(getNamedType(answer)))
      .map(({ name, description }) => ({ type: type.name, name, description: description ?? '' })),
  );

/** Those of the ids that someone sees, and what hides from them where a field of these leads. */
async function hiddenBeyond(person: Person, ids: readonly string[], type: string, field: string) {
  const list = (selection: string): Promise<Answer> =>
    person.run(`query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ${type} { id ${selection} } } }`, { ids });
  const [bare, led] = [await list(''), await list(`${field} { __typename }`)];
  const hidden: unknown[] = [];
  for (const [at, node] of (bare.data.nodes as unknown[]).entries()) {
    const refused = led.errors.filter(({ path }) => path?.[1] === at);
    if (node === null || refused.length === 0) {
      // One that hides what is beyond it takes none of the others along.
      expect(led.data.nodes[at] === null).toBe(node === null);
      continue;
    }
    expect(refused).toMatchObject([{ path: ['nodes', at, field], extensions: { code: 'NOT_FOUND' } }]);
    expect(led.data.nodes[at]).toBeNull();
    hidden.push(node);
  }
  return hidden;
}

test('what a node leads to is seen by whoever sees the node, but for the spaces of files: that says the schema, and so does the error', async () => {
  const hiding = new Map<string, Set<Actor>>();
  for (const { on, ids } of scenes)
    for (const actor of actorNames.filter((one) => one !== 'keyWithoutFiles'))
      for (const { type, name } of targets) {
        if ((await hiddenBeyond(on.people[actor], ids(type), type, name)).length === 0) continue;
        const edge = `${type}.${name}`;
        hiding.set(edge, (hiding.get(edge) ?? new Set()).add(actor));
      }
  expect(targets.length).toBeGreaterThan(15);
  expect([...hiding.keys()]).toEqual(['File.space']);
  expect([...(hiding.get('File.space') ?? [])].sort()).toEqual(
    ['expiredOutside', 'granteeOutside', 'mate', 'nobody', 'stranger'].sort(),
  );
  const said = targets.filter(({ description }) => description.includes('NOT_FOUND'));
  expect(said.map(({ type, name }) => `${type}.${name}`).sort()).toEqual(['File.space', 'UploadSession.space']);
});

test('a grantee who does not see the space makes a version without knowing it', async () => {
  const [first] = scenes;
  if (!first) throw new Error('There is no scene.');
  const { on } = first;
  const { file } = on.of('PRIVATE');
  const { granteeOutside, stranger } = on.people;
  const { mimeType, sizeBytes, checksum } = declared('', Buffer.from('another'));
  const version = { fileId: file, mimeType, sizeBytes, checksum };
  expect((await granteeOutside.run(documents.start, { input: version })).code).toBe('NOT_FOUND');
  await w.app.database.query(`update "AccessGrant" set permission = 'WRITE' where "fileId" = $1`, [file]);
  const { data, code } = await granteeOutside.run(documents.start, { input: version });
  expect(code).toBeNull();
  const { id } = data.startUpload.uploadSession;
  expect(await hiddenBeyond(granteeOutside, [id], 'UploadSession', 'space')).toEqual([{ id }]);
  expect((await stranger.run(documents.start, { input: version })).code).toBe('NOT_FOUND');
  const placeless = { name: 'new.txt', mimeType, sizeBytes, checksum };
  expect(await granteeOutside.run(documents.start, { input: placeless })).toMatchObject({
    code: 'BAD_USER_INPUT',
    errors: [{ extensions: { fields: [{ path: 'spaceId' }] } }],
  });
});
