import type { Ctx } from '../src/core/context.js';
import { createComment } from '../src/domains/comments/service.js';
import { createPost, publishPost } from '../src/domains/posts/service.js';
import { post } from './demo-content.js';

/** Who writes, who answers, and the spaces of both. */
export interface PostScene {
  readonly author: Ctx;
  readonly helper: Ctx;
  readonly reader: Ctx;
  readonly spaceId: string;
  readonly publicSpaceId: string;
}

/** Makes the demo world's posts: published ones with threads in both spaces, and a draft. Answers the id of the first. */
export async function makePosts(scene: PostScene): Promise<string> {
  const { author, helper, reader, spaceId, publicSpaceId } = scene;
  const sowing = await publish(author, spaceId, 'sowing-calendar');
  const question = await comment(reader, sowing, 'Are the beans not too early in May?');
  const answer = await comment(author, sowing, 'Not under fleece.', question);
  await comment(reader, sowing, 'Then I try a row with and a row without.', answer);
  await comment(helper, sowing, 'Peas were fine in April, even with frost on the 20th.');
  const tomatoes = await publish(helper, spaceId, 'first-tomatoes');
  await comment(author, tomatoes, 'The wall it is, then.');
  await createPost(author, { spaceId, ...post('compost-a-plan'), slug: null });
  const welcome = await publish(author, publicSpaceId, 'welcome-to-the-greenhouse');
  await comment(author, welcome, 'And see what members say of it.');
  const lending = await publish(author, publicSpaceId, 'lending-tools');
  await comment(author, lending, 'The long ladder stays in the shed.');
  return sowing;
}

async function publish(author: Ctx, spaceId: string, name: string): Promise<string> {
  const { value } = await createPost(author, { spaceId, ...post(name) });
  await publishPost(author, { id: value.id, version: value.version });
  return value.id;
}

/** Comments on a thing, or replies to a comment on it; answers the comment's id. */
export async function comment(by: Ctx, subjectId: string, content: string, parentId?: string): Promise<string> {
  return (await createComment(by, { subjectId, content, ...(parentId !== undefined && { parentId }) })).value.id;
}
