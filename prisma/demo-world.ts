import type { App } from '../src/core/context.js';
import { createOrganization } from '../src/domains/organizations/service.js';
import { addSpaceMember } from '../src/domains/spaces/members.js';
import { createSpace } from '../src/domains/spaces/service.js';
import type { DemoWorld } from '../src/graphiql/demo-world.js';
import { makeChats } from './demo-chats.js';
import { makeFiles } from './demo-files.js';
import { makeNotes } from './demo-notes.js';
import { idOf, invite, makeKeys, people, signUp } from './demo-people.js';
import { comment, makePosts } from './demo-posts.js';
import { makeTasks } from './demo-tasks.js';
import { trees } from './demo-tree.js';

/** Four people, their organization and spaces, and what these hold, all of it made as people make it: through the services. */
export async function makeWorld(app: App): Promise<Omit<DemoWorld, 'graphql' | 'graphiql'>> {
  const [ada, ben, cleo, dov] = await Promise.all(people.map((person) => signUp(app, person)));
  if (!ada || !ben || !cleo || !dov) throw new Error('The demo world lacks people.');
  const { value: organization } = await createOrganization(ada, { slug: 'greenhouse', name: 'Greenhouse' });
  const organizationId = organization.id;
  const garden = { organizationId, slug: 'garden', name: 'Garden', visibility: 'PRIVATE' } as const;
  const { value: space } = await createSpace(ada, garden, trees.beds);
  const handbook = { organizationId, slug: 'handbook', name: 'Handbook', visibility: 'PUBLIC' } as const;
  const { value: open } = await createSpace(ada, handbook, trees.handbook);
  await createSpace(ada, { slug: 'notes', name: "Ada's notes", visibility: 'PRIVATE' }, trees.today);
  for (const member of [ben, cleo]) {
    await invite(ada, member, { organizationId, organizationRole: 'MEMBER' });
    const role = member === ben ? 'EDITOR' : 'VIEWER';
    await addSpaceMember(ada, { spaceId: space.id, user: { id: idOf(member) }, role });
  }
  await invite(ada, dov, { spaceId: space.id, spaceRole: 'COMMENTER' });
  // What they have looked up before they were members counts no more.
  for (const { epoch } of [ben, cleo, dov]) epoch.current = {};

  const both = { owner: ada, helper: ben, spaceId: space.id };
  const files = await makeFiles({ ...both, publicSpaceId: open.id });
  const notes = await makeNotes(both);
  const postId = await makePosts({ author: ada, helper: ben, reader: dov, spaceId: space.id, publicSpaceId: open.id });
  const taskId = await makeTasks(both);
  const noteId = notes[0]?.id ?? '';
  await comment(dov, noteId, 'Do the ones along the wall need stakes too?');
  await comment(ben, files['sowing.md'], 'I have put in what we learned about the beans.');
  await comment(dov, taskId, 'I can help with row 3 on Saturday.');
  const chatId = await makeChats({ ...both, notes });
  return {
    spaceId: space.id,
    examples: { chatId, noteId, taskId, postId, fileId: files['sowing.md'] },
    accounts: people,
    apiKeys: await makeKeys(ada, { organizationId, spaceId: space.id }),
  };
}
