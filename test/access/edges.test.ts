import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isObjectType } from 'graphql';
import { type ScopeName, scopes } from '../../src/core/actions.js';
import { newId } from '../../src/core/ids.js';
import { type Door, doorOf } from '../support/files.js';
import { type Person, schema, viewerOf, type World, world } from '../support/world.js';
import { type Edge, edges } from './crawl.js';
import { actorNames, standingOf } from './file-stage.js';
import { type Scene, scene } from './scene.js';

let w: World;
let door: Door;
const scenes = new Map<string, Scene>();
beforeAll(async () => {
  w = await world();
  door = await doorOf(w.app);
  for (const visibility of ['PRIVATE', 'PUBLIC'] as const) scenes.set(visibility, await scene(w, door, visibility));
}, 120_000);
afterAll(async () => {
  await door.close();
  await w.close();
});

function sceneOf(visibility: string): Scene {
  const found = scenes.get(visibility);
  if (!found) throw new Error('There is no such scene.');
  return found;
}

/** What somebody hears who goes every way from everything there is, or from the first of each type. */
async function walk(
  person: Person,
  { roots, ids }: Scene,
  { ways, most = 100 }: { readonly ways: readonly Edge[]; readonly most?: number },
  hear: (way: Edge, heard: string) => void,
) {
  for (const way of [...ways, ...roots]) {
    for (const id of way.from === null ? [''] : ids(way.from).slice(0, most)) {
      const { data, errors } = await person.run(way.document, way.from === null ? {} : { id });
      if (errors.some(({ extensions }) => [undefined, 'INTERNAL_SERVER_ERROR'].includes(`${extensions?.['code']}`)))
        throw new Error(`${way.name}: ${JSON.stringify(errors)}`);
      hear(way, JSON.stringify({ data, errors }));
    }
  }
}

const outsiders = actorNames.filter((actor) => !standingOf(actor, 'SPACE').inside);
/** Who goes through what: in a space that anyone reads, those who have no role there, and one who has. */
const walkers = [
  ...actorNames.map((actor) => ['PRIVATE', actor] as const),
  ...[...outsiders, 'viewer' as const].map((actor) => ['PUBLIC', actor] as const),
].filter(([, actor]) => actor !== 'keyWithoutFiles');

describe('whatever is asked of whatever there is, two edges far', () => {
  const ways = edges(1);
  // What is refused beyond an edge takes along what stands beside.
  const all = [...edges(0), ...ways];

  test.each(walkers)(
    'in a %s space, %s comes across all that they may know, and nothing else',
    async (visibility, actor) => {
      const at = sceneOf(visibility);
      const known = new Set<string>();
      const leaks = new Set<string>();
      await walk(at.on.people[actor], at, { ways: outsiders.includes(actor) ? all : ways }, (way, heard) => {
        for (const { text, mayKnow } of at.secrets) {
          if (!heard.includes(text)) continue;
          known.add(text);
          if (!mayKnow(actor)) leaks.add(`${way.name}: ${text}`);
        }
      });
      expect([...leaks]).toEqual([]);
      expect(at.secrets.filter(({ text, mayKnow }) => mayKnow(actor) && !known.has(text))).toEqual([]);
    },
    120_000,
  );
});

/** The scope that everything of a type asks for; null: it is asked for on the way to it, or not at all. */
const scopeOfType: Readonly<Record<string, ScopeName | null>> = {
  AccessDecision: null,
  AccessGrant: 'files:read',
  ApiKey: 'account:read',
  AuditEvent: 'audit:read',
  AuthSession: null,
  ClientSession: null,
  BatchTreeNode: 'tree:read',
  BatchTreeResult: 'tree:read',
  CaughtUp: null,
  Chat: 'chats:read',
  ChatDelta: 'chats:read',
  ChatStream: 'chats:read',
  Comment: 'comments:read',
  CommentChange: 'comments:read',
  DataPart: 'chats:read',
  Event: 'events:read',
  FailedJob: null,
  File: 'files:read',
  FileChange: null,
  FilePart: 'chats:read',
  FileVersion: 'files:read',
  Folder: 'files:read',
  Graph: 'knowledge:read',
  ImagePart: 'chats:read',
  Invitation: 'organizations:read',
  Lagged: null,
  Link: 'knowledge:read',
  LinkChange: 'knowledge:read',
  Message: 'chats:read',
  Note: 'knowledge:read',
  Organization: 'organizations:read',
  OrganizationMember: null,
  PageInfo: null,
  Post: 'posts:read',
  Profile: null,
  ReasoningPart: 'chats:read',
  SearchHighlight: null,
  SearchHit: 'search:read',
  SearchMatch: null,
  SourcePart: 'chats:read',
  Space: 'spaces:read',
  SpaceMember: null,
  StepPart: 'chats:read',
  StorageUsage: null,
  Task: 'tasks:read',
  TaskChange: 'tasks:read',
  TaskError: null,
  TaskEvent: 'tasks:read',
  TextPart: 'chats:read',
  ToolCallPart: 'chats:read',
  ToolResultPart: 'chats:read',
  TreeChange: 'tree:read',
  TreeNode: 'tree:read',
  TreeNodeResult: 'tree:read',
  TreeNodeVersion: 'tree:read',
  UploadSession: 'files:read',
  User: null,
  Viewer: null,
};

describe('a key', () => {
  const ways = edges(0);
  /** Scopes that open the same things. */
  const alike: Readonly<Partial<Record<ScopeName, readonly ScopeName[]>>> = {
    'tasks:read': ['tasks:run'],
    'tree:read': ['tree:write'],
  };
  const keyWithout = (missing: readonly string[]) =>
    w.client(
      viewerOf(w.owner.id, {
        apiKeyId: newId('key'),
        scopes: new Set(scopes.filter((scope) => !missing.includes(scope))),
      }),
    );
  const typesIn = (heard: string) => [...heard.matchAll(/"__typename":"(\w+)"/g)].map(([, name]) => name ?? '');

  /** The types that a key with every scope gets to. */
  const withAll = new Set<string>();
  beforeAll(async () => {
    await walk(keyWithout([]), sceneOf('PRIVATE'), { ways, most: 1 }, (_, heard) => {
      for (const type of typesIn(heard)) withAll.add(type);
    });
  }, 120_000);

  test('every type says which scope it asks for', () => {
    const types = Object.values(schema.getTypeMap()).filter(isObjectType);
    const named = types.map(({ name }) => name).filter((name) => !/^__|(Payload|Edge|Connection)$/.test(name));
    expect(Object.keys(scopeOfType).sort()).toEqual(
      named.filter((name) => !['Query', 'Mutation', 'Subscription'].includes(name)).sort(),
    );
  });

  test.each([...new Set(Object.values(scopeOfType))].filter((scope) => scope !== null))(
    'without %s gets nothing of its types over any edge, and with it does',
    async (scope) => {
      const guarded = Object.keys(scopeOfType).filter((type) => scopeOfType[type] === scope);
      expect(guarded.some((type) => withAll.has(type))).toBe(true);
      const leaks = new Set<string>();
      await walk(keyWithout([scope, ...(alike[scope] ?? [])]), sceneOf('PRIVATE'), { ways, most: 1 }, (way, heard) => {
        for (const type of typesIn(heard)) if (guarded.includes(type)) leaks.add(`${way.name}: ${type}`);
      });
      expect([...leaks]).toEqual([]);
    },
    120_000,
  );
});
