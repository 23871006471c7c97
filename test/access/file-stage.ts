import { scopes } from '../../src/core/actions.js';
import { newId } from '../../src/core/ids.js';
import type { Visibility } from '../../src/generated/graphql.js';
import { type Door, documents, filesOf } from '../support/files.js';
import { notesOf } from '../support/knowledge.js';
import { newComment } from '../support/posts.js';
import { newSpace } from '../support/tenancy.js';
import { type Person, viewerOf, type World } from '../support/world.js';

export const visibilities = ['PRIVATE', 'SPACE', 'ORGANIZATION', 'PUBLIC'] as const satisfies readonly Visibility[];

/**
 * Who sees a file of each visibility (as in `visibilities`), who is in its space, and who says with whom it is shared. Whoever is not in the space
 * has no role there, a grantee `outside` only what was granted. What a `mate` and a grantee see is theirs to find, wherever it is.
 */
export const actors = {
  nobody: '- - - x',
  stranger: '- - - x',
  mate: '- - x x finds',
  viewer: '- x x x in',
  commenter: '- x x x in',
  editor: '- x x x in',
  admin: '- x x x in shares',
  owner: 'x x x x in shares',
  fileOwner: 'x x x x in shares',
  grantee: 'x x x x in granted',
  granteeOutside: 'x x x x finds',
  expiredGrantee: '- x x x in',
  expiredOutside: '- - - x',
  keyOfAnotherSpace: '- - - -',
  keyWithoutFiles: '- - - -',
} as const;
export type Actor = keyof typeof actors;
export const actorNames = Object.keys(actors) as Actor[];

/** What an actor may know of a file. */
export interface Standing {
  readonly sees: boolean;
  /** Sees it, and has a role in its space. */
  readonly inside: boolean;
  /** Sees it, and comes across it in a search of everything. */
  readonly finds: boolean;
  readonly shares: boolean;
  readonly granted: boolean;
}

export function standingOf(actor: Actor, visibility: Visibility): Standing {
  const words = actors[actor].split(' ');
  const sees = words[visibilities.indexOf(visibility)] === 'x';
  const also = (word: string) => sees && words.includes(word);
  return {
    sees,
    inside: also('in'),
    finds: also('in') || also('finds'),
    shares: also('shares'),
    granted: also('granted'),
  };
}

/** A file with all that hangs on it. */
export interface Things {
  readonly file: string;
  readonly version: string;
  readonly grant: string;
  readonly upload: string;
  readonly comment: string;
  readonly reply: string;
  readonly link: string;
}

/** The same, none of which exist. */
export const absent = (): Things => ({
  file: newId('file'),
  version: newId('fver'),
  grant: newId('grant'),
  upload: newId('upload'),
  comment: newId('comment'),
  reply: newId('comment'),
  link: newId('link'),
});

const rid = (id: string) => id.slice(-6);

/** A space with a file of each visibility in a folder, each commented on, linked with a note that all see, and granted. */
export async function fileStage(w: World, door: Door, more: object = {}) {
  const { prisma } = w.app.database;
  const organization = { organizationId: w.organization.id };
  const space = await newSpace(w.owner, { ...organization, ...more });
  const other = await newSpace(w.owner, organization);
  const role = (name: string, one: 'VIEWER' | 'COMMENTER' | 'EDITOR' | 'ADMIN') => w.member(name, space.id, one);
  const fileOwner = await role('Fay', 'EDITOR');
  const mate = await w.person('Max');
  await prisma.organizationMember.create({ data: { ...organization, userId: mate.id, role: 'MEMBER' } });
  await prisma.spaceMember.create({ data: { spaceId: other.id, userId: fileOwner.id, role: 'EDITOR' } });
  const key = (limits: object) =>
    w.client(viewerOf(fileOwner.id, { apiKeyId: newId('key'), scopes: new Set(scopes), ...limits }));
  const people: Readonly<Record<Actor, Person>> = {
    nobody: w.nobody,
    stranger: w.stranger,
    mate,
    viewer: await role('Vic', 'VIEWER'),
    commenter: await role('Con', 'COMMENTER'),
    editor: await role('Eve', 'EDITOR'),
    admin: await role('Abe', 'ADMIN'),
    owner: w.owner,
    fileOwner,
    grantee: await role('Gia', 'VIEWER'),
    granteeOutside: await w.person('Gil'),
    expiredGrantee: await role('Xia', 'VIEWER'),
    expiredOutside: await w.person('Xan'),
    keyOfAnotherSpace: key({ spaceIds: new Set([other.id]) }),
    keyWithoutFiles: key({ scopes: new Set(scopes.filter((scope) => !scope.startsWith('files:'))) }),
  };
  w.app.memory.forgetAll();
  const files = filesOf(fileOwner, space.id, door);
  const folder = (await files.folder('/plans')).data.createFolder.folder.id as string;
  const hub = await notesOf(fileOwner, space.id).note('Hub');
  const word = `word${rid(space.id)}`;

  async function things(visibility: Visibility): Promise<Things> {
    const bytes = Buffer.from(`${word} marigold of ${visibility}`);
    const name = `${visibility} secret.txt`;
    const { id: file } = await files.upload(bytes, { name, visibility, folderPath: '/plans' });
    const { data } = await files.run(documents.grant, { fileId: file, user: { id: people.grantee.id } });
    const grants = ['granteeOutside', 'expiredGrantee', 'expiredOutside'] as const;
    // To people whom the owner of the file cannot look up, and of a time gone by.
    await prisma.accessGrant.createMany({
      data: grants.map((name) => ({
        id: newId('grant'),
        fileId: file,
        spaceId: space.id,
        principal: 'USER' as const,
        userId: people[name].id,
        permission: 'READ' as const,
        expiresAt: name === 'granteeOutside' ? null : new Date(Date.now() - 1_000),
      })),
    });
    const comment = await newComment(fileOwner, file, `${visibility} secret comment`);
    const reply = await newComment(fileOwner, file, `${visibility} secret reply`, comment.id);
    const link = await notesOf(fileOwner, space.id).linked(hub.id, file, {
      kind: `secret-${visibility.toLowerCase()}`,
    });
    const upload = await files.started(bytes, { name: `${visibility} secret upload.txt`, visibility });
    const { currentVersionId } = await prisma.file.findUniqueOrThrow({ where: { id: file } });
    return {
      file,
      version: currentVersionId ?? '',
      grant: data.grantAccess.accessGrant.id,
      upload: upload.id,
      comment: comment.id,
      reply: reply.id,
      link: link.id,
    };
  }
  const byVisibility = new Map<Visibility, Things>();
  for (const visibility of visibilities) byVisibility.set(visibility, await things(visibility));
  await w.runJobs();
  return {
    space,
    folder,
    hub: hub.id,
    word,
    people,
    of: (visibility: Visibility): Things => byVisibility.get(visibility) ?? absent(),
  };
}
export type FileStage = Awaited<ReturnType<typeof fileStage>>;
