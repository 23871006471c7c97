import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { scopes } from '../src/core/actions.js';
import type { App, Ctx } from '../src/core/context.js';
import { contextFor } from '../src/core/operation.js';
import { uploadUrl } from '../src/domains/files/address.js';
import { completeUpload } from '../src/domains/files/completion.js';
import { createFolder } from '../src/domains/files/folders.js';
import { receivePart } from '../src/domains/files/receiving.js';
import { startUpload } from '../src/domains/files/uploads.js';
import { createApiKey } from '../src/domains/identity/api-keys.js';
import { signIn } from '../src/domains/identity/sign-in.js';
import { acceptInvitation, createInvitation } from '../src/domains/invitations/service.js';
import { createNote } from '../src/domains/knowledge/service.js';
import { createOrganization } from '../src/domains/organizations/service.js';
import { addSpaceMember } from '../src/domains/spaces/members.js';
import { createSpace, type FirstContent } from '../src/domains/spaces/service.js';
import { put } from '../src/domains/tree/store.js';
import { seal } from '../src/domains/tree/value.js';
import type { DemoWorld } from '../src/gateway/graphiql.js';
import type { CreateApiKeyInput, CreateInvitationInput } from '../src/generated/graphql.js';
import { makePosts } from './demo-posts.js';
import { makeTasks } from './demo-tasks.js';

export type { DemoWorld };

const password = 'canopy-demo-1';
const people = [
  { name: 'Ada Marsh', email: 'ada@demo.example' },
  { name: 'Ben Okoro', email: 'ben@demo.example' },
  { name: 'Cleo Sato', email: 'cleo@demo.example' },
  { name: 'Dov Stern', email: 'dov@demo.example' },
];

const readOnly = scopes.filter((scope) => scope.endsWith(':read') && scope !== 'audit:read');

const beds: Readonly<Record<string, unknown>> = {
  '/': { title: 'Garden plan' },
  '/beds/north': { crop: 'beans', sown: '2026-04-12', rows: 6 },
  '/beds/south': { crop: 'tomatoes', sown: '2026-05-20', rows: 4 },
  '/beds/south/notes': ['mulch in June', 'pinch side shoots'],
  '/settings/theme': { mode: 'light', accent: 'green' },
  '/settings/watering': { everyDays: 2, litres: 40 },
};

const handbook: Readonly<Record<string, unknown>> = {
  '/welcome': { text: 'Everybody may read this space.' },
  '/tools': ['spade', 'rake', 'watering can'],
};

const notes = [
  {
    title: 'Tomatoes in the south bed',
    content: 'Pinch the side shoots of the **tomatoes**, and water the soil, not the leaves.',
  },
  {
    title: 'Watering in summer',
    content: 'Tomatoes want water every second day; mulch keeps the soil of the beds moist.',
  },
  {
    title: 'Seeds to order',
    content: '* runner beans\n* winter lettuce\n* dill',
    keywords: ['seeds', 'beans', 'order'],
  },
];

const fileOf = (home: string) => join(home, 'demo.json');

/** The demo world of this home; null when it has none. */
export async function readDemoWorld(home: string): Promise<DemoWorld | null> {
  return existsSync(fileOf(home)) ? (JSON.parse(await readFile(fileOf(home), 'utf8')) as DemoWorld) : null;
}

/** Makes the demo world in an empty database and writes demo.json; does nothing where somebody lives already. Addresses follow the server. */
export async function seedDemoWorld(
  app: App,
  { home, publicUrl }: { home: string; publicUrl: string },
): Promise<DemoWorld | null> {
  const addresses = { graphql: `${publicUrl}/graphql`, graphiql: `${publicUrl}/graphiql` };
  const known = await readDemoWorld(home);
  if (known && (await app.database.prisma.space.count({ where: { id: known.spaceId } })) === 1) {
    const world = { ...known, ...addresses };
    await writeWorld(home, world);
    return world;
  }
  await mkdir(home, { recursive: true });
  const begun = join(home, 'demo.begun');
  const resumes = existsSync(begun);
  if (!resumes && (await app.database.prisma.user.count()) > 0) return null;
  // A start that was cut short leaves this mark, and the next one begins again where nothing but the demo can be.
  await writeFile(begun, '');
  if (resumes) await app.database.query('truncate "User", "Organization" cascade', []);
  const world = { ...addresses, ...(await makeWorld(app)) };
  await writeWorld(home, world);
  await rm(begun);
  return world;
}

/** Whether the accounts that everybody knows the passwords of live in this database. */
export async function holdsDemoWorld({ database }: App): Promise<boolean> {
  const emails = people.map(({ email }) => email);
  return (await database.prisma.issuerUser.count({ where: { email: { in: emails } } })) > 0;
}

async function writeWorld(home: string, world: DemoWorld): Promise<void> {
  const partial = `${fileOf(home)}.partial`;
  await writeFile(partial, `${JSON.stringify(world, null, 2)}\n`, { mode: 0o600 });
  await rename(partial, fileOf(home));
}

async function makeWorld(app: App): Promise<Pick<DemoWorld, 'spaceId' | 'accounts' | 'apiKeys'>> {
  const [ada, ben, cleo, dov] = await Promise.all(people.map((person) => signUp(app, person)));
  if (!ada || !ben || !cleo || !dov) throw new Error('The demo world lacks people.');
  const { value: organization } = await createOrganization(ada, { slug: 'greenhouse', name: 'Greenhouse' });
  const organizationId = organization.id;
  const { value: space } = await createSpace(
    ada,
    { organizationId, slug: 'garden', name: 'Garden', visibility: 'PRIVATE' },
    nodes(beds),
  );
  await plant(ada, space.id);
  const { value: open } = await createSpace(
    ada,
    { organizationId, slug: 'handbook', name: 'Handbook', visibility: 'PUBLIC' },
    nodes(handbook),
  );
  await createSpace(
    ada,
    { slug: 'notes', name: "Ada's notes", visibility: 'PRIVATE' },
    nodes({ '/today': 'Water the south bed.' }),
  );
  for (const note of notes) await createNote(ada, { spaceId: space.id, ...note });
  for (const member of [ben, cleo]) {
    await invite(ada, member, { organizationId, organizationRole: 'MEMBER' });
    await addSpaceMember(ada, {
      spaceId: space.id,
      user: { id: idOf(member) },
      role: member === ben ? 'EDITOR' : 'VIEWER',
    });
  }
  await invite(ada, dov, { spaceId: space.id, spaceRole: 'COMMENTER' });
  await makePosts({ author: ada, reader: dov, spaceId: space.id, publicSpaceId: open.id });
  await makeTasks({ owner: ada, helper: ben, spaceId: space.id });
  return {
    spaceId: space.id,
    accounts: people.map(({ name, email }) => ({ name, email, password })),
    apiKeys: [
      await makeKey(ada, { name: 'Everything', scopes: [...scopes], spaceIds: [] }),
      await makeKey(ada, { name: 'Read only', scopes: readOnly, spaceIds: [] }),
      await makeKey(ada, {
        name: 'Garden only',
        scopes: ['spaces:read', 'tree:read', 'tree:write', 'events:read'],
        spaceIds: [space.id],
      }),
      await makeKey(ada, { name: 'Organization', scopes: [...scopes], spaceIds: [], organizationId }),
    ],
  };
}

const request = { requestId: 'demo-world', ip: null };

/** Signs somebody up with the embedded issuer; answers the context that they act in. */
async function signUp(app: App, { name, email }: { name: string; email: string }): Promise<Ctx> {
  const { subject } = await app.issuer.createSubject({ email, name, password });
  const nobody = contextFor(app, null, request);
  const userId = await signIn(nobody, { issuer: app.issuer.name, subject, email, emailVerified: true, name });
  return contextFor(
    app,
    { userId, apiKeyId: null, organizationId: null, sessionId: null, scopes: null, spaceIds: null, expiresAt: null },
    request,
  );
}

const idOf = ({ viewer }: Ctx) => viewer?.userId ?? '';

async function invite(from: Ctx, to: Ctx, offer: Omit<CreateInvitationInput, 'email'>): Promise<void> {
  const { email } = await from.app.database.prisma.user.findUniqueOrThrow({
    where: { id: idOf(to) },
    select: { email: true },
  });
  const { token } = await createInvitation(from, { ...offer, email: email ?? '' });
  await acceptInvitation(to, { token: token ?? '' });
}

function nodes(values: Readonly<Record<string, unknown>>): FirstContent {
  return async (tx, spaceId) => {
    for (const [path, value] of Object.entries(values)) await put(tx, { spaceId, path }, seal(value), null);
  };
}

const documents: Readonly<Record<string, string>> = {
  'sowing.md': '# Sowing\n\n- Beans: after the last frost, in April.\n- Tomatoes: indoors in March.\n',
  'yields.csv': 'crop,year,kilograms\nbeans,2025,14\ntomatoes,2025,52\n',
};
const typeOf = (name: string) => (name.endsWith('.md') ? 'text/markdown' : 'text/csv');

/** Files as anybody would upload them. */
async function plant(owner: Ctx, spaceId: string): Promise<void> {
  await createFolder(owner, { spaceId, path: '/plans' });
  for (const [name, text] of Object.entries(documents)) {
    const bytes = Buffer.from(text);
    const checksum = createHash('sha256').update(bytes).digest('hex');
    const declared = { spaceId, name, folderPath: '/plans', mimeType: typeOf(name), sizeBytes: bytes.length, checksum };
    const { value: session } = await startUpload(owner, declared);
    const { searchParams } = new URL(uploadUrl(owner.app, session.id));
    await receivePart(owner.app, session.id, searchParams, { body: Readable.from([bytes]), length: bytes.length });
    await completeUpload(owner, { id: session.id });
  }
}

async function makeKey(owner: Ctx, input: CreateApiKeyInput): Promise<DemoWorld['apiKeys'][number]> {
  const { value, secret } = await createApiKey(owner, input);
  return { name: value.name, key: secret ?? '', scopes: value.scopes };
}
