import type { Ctx } from '../src/core/context.js';
import { createComment } from '../src/domains/comments/service.js';
import { createPost, publishPost } from '../src/domains/posts/service.js';

/** Who writes, who answers, and the spaces of both. */
export interface PostScene {
  readonly author: Ctx;
  readonly reader: Ctx;
  readonly spaceId: string;
  readonly publicSpaceId: string;
}

const calendar = `# Sowing calendar

- March: tomatoes, indoors
- April: peas, carrots
- May: beans, once the nights are mild
`;

/** Makes the demo world's posts: two that are published, with comments, and a draft. */
export async function makePosts({ author, reader, spaceId, publicSpaceId }: PostScene): Promise<void> {
  const sowing = await publish(author, { spaceId, title: 'Sowing calendar', content: calendar });
  const question = await comment(reader, { subjectId: sowing, content: 'Are the beans not too early in May?' });
  await comment(author, { subjectId: sowing, parentId: question, content: 'Not under fleece.' });
  await createPost(author, {
    spaceId,
    title: 'Compost, a plan',
    content: 'Three heaps, turned in autumn.',
    slug: null,
  });
  const welcome = { spaceId: publicSpaceId, title: 'Welcome to the greenhouse', content: 'Everybody may read this.' };
  await comment(author, { subjectId: await publish(author, welcome), content: 'And see what members say of it.' });
}

async function publish(author: Ctx, input: { spaceId: string; title: string; content: string }): Promise<string> {
  const { value } = await createPost(author, input);
  await publishPost(author, { id: value.id, version: value.version });
  return value.id;
}

async function comment(by: Ctx, input: { subjectId: string; parentId?: string; content: string }): Promise<string> {
  return (await createComment(by, input)).value.id;
}
