import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/core/errors.js';
import type { Visibility } from '../../src/generated/graphql.js';
import { type Door, documents, doorOf } from '../support/files.js';
import { type World, world } from '../support/world.js';
import {
  type Actor,
  absent,
  actorNames,
  type FileStage,
  fileStage,
  standingOf,
  type Things,
  visibilities,
} from './file-stage.js';
import { audienceOf, isFor, lists, type Way, ways } from './file-surfaces.js';

let w: World;
let door: Door;
// A world of its own: a search of everything finds nothing of the other space.
let open: World;
let openDoor: Door;
let on: FileStage;
let stages: Readonly<Record<'PRIVATE' | 'PUBLIC', FileStage>>;
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
  on = await fileStage(w, door);
  open = await world();
  openDoor = await doorOf(open.app);
  stages = { PRIVATE: on, PUBLIC: await fileStage(open, openDoor, { visibility: 'PUBLIC' }) };
}, 60_000);
afterAll(async () => {
  await openDoor.close();
  await open.close();
  await door.close();
  await w.close();
});

const ids = /[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}/g;

/** What an actor hears, without the names of what was asked about. */
async function heard(actor: Actor, { document, variables }: Way, things: Things): Promise<string> {
  const person = on.people[actor];
  if (document.startsWith('subscription')) {
    try {
      await (await person.hear(document, variables(things, on))).stop();
      return 'listens';
    } catch (error) {
      if (error instanceof AppError) return `${error.code} ${error.message}`;
      throw error;
    }
  }
  const { data, errors } = await person.run(document, variables(things, on));
  return JSON.stringify({ data, errors })
    .replace(/"requestId":"[^"]*"/g, '')
    .replace(ids, 'id');
}

/** The visibilities whose things an actor gets to know. A key reads by its scopes what its owner may see. */
function reached(actor: Actor, way: Pick<Way, 'for' | 'otherScope'>): Visibility[] {
  const as = actor === 'keyWithoutFiles' && way.otherScope ? 'fileOwner' : actor;
  return visibilities.filter((visibility) => isFor(way.for, standingOf(as, visibility)));
}

// First, because some of the ways lead to more of what is listed.
const listed = (['PRIVATE', 'PUBLIC'] as const).flatMap((space) =>
  Object.entries(lists).map(([name, list]) => [name, space, list] as const),
);
describe.each(listed)('%s, in a %s space', (_, space, list) => {
  test.each(actorNames)('%s finds on it, and counts, what they may see', async (actor) => {
    const at = stages[space];
    const { data } = await at.people[actor].run(list.document, list.variables(at));
    const there = Object.values(data ?? {}).some((value) => value !== null);
    const { ids: found, count } = there ? list.read(data, at) : { ids: [], count: undefined };
    const seen = actor === 'nobody' && !list.open ? [] : reached(actor, { ...list, for: audienceOf(list, space) });
    expect([...found].sort()).toEqual(seen.map((visibility) => at.of(visibility).file).sort());
    if (count !== undefined) expect(count).toBe(seen.length);
    for (const visibility of visibilities)
      if (!seen.includes(visibility)) expect(JSON.stringify(data)).not.toContain(`${visibility} secret`);
  });
});

describe.each(Object.entries(ways))('%s', (_, way) => {
  test.each(actorNames)('%s hears of what is hidden as of what does not exist', async (actor) => {
    const nothing = await heard(actor, way, absent());
    const found: Visibility[] = [];
    for (const visibility of visibilities) {
      const answer = await heard(actor, way, on.of(visibility));
      // A key that may not read files is told so of those that its owner sees.
      const isForbidden = actor === 'keyWithoutFiles' && answer.includes('"FORBIDDEN"') && !answer.includes('secret');
      if (answer !== nothing && !(isForbidden && !way.otherScope)) found.push(visibility);
    }
    expect(found).toEqual(actor === 'nobody' && !way.open ? [] : reached(actor, way));
  });
});

describe('the bytes of a file', () => {
  const get = async (url: string) => {
    const response = await door.fetch(url);
    return {
      status: response.status,
      text: (await response.text()).replace(/"requestId":"[^"]*"/g, '').replace(ids, 'id'),
    };
  };
  const at = (path: string) => `${w.app.publicUrl}/api/blob/${path}`;
  const urlOf = async (visibility: Visibility) => {
    const { data } = await on.people.fileOwner.run('query ($id: ID!) { file(id: $id) { url } }', {
      id: on.of(visibility).file,
    });
    return data.file.url as string;
  };

  test.each(visibilities)('of %s are for whoever has an address that we gave out, as it is', async (visibility) => {
    const { file, version } = on.of(visibility);
    const url = await urlOf(visibility);
    expect(await get(url)).toMatchObject({ status: 200, text: `${on.word} marigold of ${visibility}` });
    const none = absent();
    for (const [tried, nothing] of [
      [at(version), at(none.version)],
      [at(file), at(none.file)],
      [at(`${file}?token=guess`), at(`${none.file}?token=guess`)],
      [
        url.replace(/signature=(.)/, (_, first) => `signature=${first === 'A' ? 'B' : 'A'}`),
        at(`${none.version}?expires=9999999999&signature=x`),
      ],
      [url.replace(/expires=\d/, 'expires=9'), at(`${none.version}?expires=9999999999&signature=x`)],
      [`${url}&download=1`, at(`${none.version}?expires=9999999999&signature=x`)],
      [url.replace(version, on.of(visibility === 'PUBLIC' ? 'PRIVATE' : 'PUBLIC').version), at(none.version)],
    ] as const) {
      const answer = await get(tried);
      expect([403, 404]).toContain(answer.status);
      expect(answer).toEqual(await get(nothing));
    }
  });

  test('are not there any more once an address or a link has expired, or the link was taken back', async () => {
    const { file } = on.of('PRIVATE');
    const { fileOwner } = on.people;
    const grant = (more: object) => fileOwner.run(documents.grant, { input: { fileId: file, ...more } });
    const nothing = await get(at(`${absent().file}?token=guess`));
    const { url, accessGrant } = (await grant({})).data.grantAccess;
    expect((await get(url)).status).toBe(200);
    await w.app.database.query('update "AccessGrant" set "expiresAt" = now() - interval \'1 second\' where id = $1', [
      accessGrant.id,
    ]);
    expect(await get(url)).toEqual(nothing);
    const second = (await grant({})).data.grantAccess;
    expect((await get(second.url)).status).toBe(200);
    expect((await get(second.url.replace(file, on.of('SPACE').file))).status).toBe(404);
    await fileOwner.run(documents.revoke, { input: { id: second.accessGrant.id } });
    expect(await get(second.url)).toEqual(nothing);
    const brief = await fileOwner.run('query ($id: ID!) { file(id: $id) { url(expiresInSeconds: 1) } }', { id: file });
    const expires = new URL(brief.data.file.url);
    while (Date.now() / 1_000 <= Number(expires.searchParams.get('expires')))
      await new Promise((go) => setTimeout(go, 50));
    expect(await get(brief.data.file.url)).toEqual(await get(at(`${absent().version}?expires=1&signature=x`)));
  });

  test('go with the file', async () => {
    const { fileOwner } = on.people;
    const { file } = on.of('PUBLIC');
    const [url, link] = [
      await urlOf('PUBLIC'),
      (await fileOwner.run(documents.grant, { input: { fileId: file } })).data.grantAccess.url,
    ];
    expect([(await get(url)).status, (await get(link)).status]).toEqual([200, 200]);
    await fileOwner.run(documents.remove, { input: { id: file, version: 1 } });
    expect([(await get(url)).status, (await get(link)).status]).toEqual([404, 404]);
  });
});
