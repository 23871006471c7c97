import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { purgeSpaces } from '../../src/jobs/purge-spaces.js';
import { type Door, doorOf } from '../support/files.js';
import { filledWith } from '../support/filled-space.js';
import { lettersModel, lettersService } from '../support/letters.js';
import type { LocalService } from '../support/local-service.js';
import { searchAs } from '../support/search.js';
import { signedIn } from '../support/sign-in.js';
import { emailOf, invite, join, make, newSpace } from '../support/tenancy.js';
import { allTracesOf, runAllJobs, tracesOf } from '../support/traces.js';
import { type World, world } from '../support/world.js';

const dayMs = 24 * 60 * 60 * 1_000;
const patient = 120_000;
let later = 0;
let w: World;
let door: Door;
let model: LocalService;
beforeAll(async () => {
  model = await lettersService();
  w = await world({ now: () => new Date(Date.now() + later), embeddings: lettersModel(model) });
  door = await doorOf(w.app);
});
afterAll(async () => {
  await door.close();
  await w.close();
  await model.close();
});
beforeEach(() => {
  later = 0;
});

const close = 'mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }';

/** Someone with something of every kind in a space of their own and in one of others, and with every kind of credential. */
async function busy(name: string, handle: string) {
  const person = await signedIn(w, { name });
  await make(person, 'mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }', {
    handle,
    fullName: name,
    bio: `I am ${name}.`,
    avatarUrl: `https://${handle}.example/a.png`,
  });
  const team = await newSpace(w.owner);
  await join(w.owner, person, { spaceId: team.id, spaceRole: 'EDITOR' });
  await invite(w.owner, person, { organizationId: w.organization.id, organizationRole: 'MEMBER' });
  const own = await newSpace(person);
  for (const spaceId of [own.id, team.id]) {
    await join(spaceId === own.id ? person : w.owner, w.editor, { spaceId, spaceRole: 'EDITOR' });
    await filledWith(w, door, { author: person, reader: w.editor }, spaceId, `fennel of ${spaceId.slice(-6)}`);
  }
  await make(person, 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }', {
    name: `key of ${name}`,
    scopes: ['tree:read'],
  });
  await make(
    person,
    'mutation ($input: WriteTreeNodeInput!) { writeTreeNode(input: $input) @idempotent(key: "once") { treeNode { createdBy { name handle } } } }',
    {
      spaceId: team.id,
      path: '/by',
      value: 1,
    },
  );
  await runAllJobs(w);
  const email = await emailOf(person);
  return { person, own: own.id, team: team.id, personal: [email, person.email, person.subject, name, handle] };
}

/** The tables in which somebody stays named by their id, as who once made what belongs to others, or whose subject stays refused. */
const naming = [
  'AccessGrant',
  'Chat',
  'ChatStream',
  'Comment',
  'File',
  'FileVersion',
  'Folder',
  'Identity',
  'Invitation',
  'Link',
  'Message',
  'Note',
  'Post',
  'Space',
  'TreeNode',
  'TreeNodeVersion',
  'UploadSession',
  'User',
];

test(
  'an account that is closed is nowhere in any table: neither address nor names; its own space goes, what it made for others stays without a name',
  async () => {
    const { person, own, team, personal } = await busy('Xanthippe Quux', 'xantquux');
    const before = await allTracesOf(w.app, ...personal);
    for (const table of ['User', 'Profile', 'ApiKey', 'Invitation', 'IssuerUser', 'IssuerSession'])
      expect(before[table]).toBeGreaterThan(0);
    const made = await tracesOf(w.app, team);
    await make(person, close, { mode: 'ANONYMIZE' });
    await runAllJobs(w);
    expect(await allTracesOf(w.app, ...personal)).toEqual({});
    const named = Object.keys(await tracesOf(w.app, person.id));
    expect(named.filter((table) => !naming.includes(table))).toEqual([]);
    // What is left of the membership is all that went.
    const left = await tracesOf(w.app, team);
    for (const table of ['Note', 'Post', 'File', 'FileVersion', 'Comment', 'Chat', 'Task', 'TreeNode'])
      expect({ [table]: left[table] }).toEqual({ [table]: made[table] });
    const { data } = await searchAs(w.editor, 'fennel', { spaceId: team, mode: 'EXACT', first: 100 });
    expect(data.search.nodes.length).toBeGreaterThan(10);
    later = 31 * dayMs;
    expect(await purgeSpaces(w.app)).toBe(1);
    await runAllJobs(w);
    expect(await tracesOf(w.app, own)).toEqual({});
    expect((await w.app.blobs.list(`spaces/${own}/`, 10)).blobs).toEqual([]);
    expect(await w.app.vectors.count(own)).toBe(0);
  },
  patient,
);

test(
  'an account that is handed over leaves its space with all it holds to the heir, and nothing of itself',
  async () => {
    const { person, own, personal } = await busy('Yolanda Zvyx', 'yolzvyx');
    const before = await tracesOf(w.app, own);
    await make(person, close, { mode: 'TRANSFER', to: w.editor.id });
    await runAllJobs(w);
    expect(await allTracesOf(w.app, ...personal)).toEqual({});
    const after = await tracesOf(w.app, own);
    for (const table of [
      'Space',
      'Note',
      'Post',
      'File',
      'FileVersion',
      'Comment',
      'Chat',
      'Message',
      'Task',
      'TreeNode',
      'SearchText',
      'Vector',
    ])
      expect({ [table]: after[table] }).toEqual({ [table]: before[table] });
    const { data } = await w.editor.run(
      'query ($id: ID!) { space(by: { id: $id }) { viewerRole owner { ... on User { id } } } }',
      { id: own },
    );
    expect(data.space).toEqual({ viewerRole: 'OWNER', owner: { id: w.editor.id } });
    const files = await w.app.database.query<{ ownerId: string | null }>(
      'select distinct "ownerId" from "File" where "spaceId" = $1',
      [own],
    );
    expect(files).toEqual([{ ownerId: w.editor.id }]);
    later = 40 * dayMs;
    await purgeSpaces(w.app);
    expect(await tracesOf(w.app, own)).toMatchObject({ Space: 1, Note: 2 });
  },
  patient,
);
