import { make } from './tenancy.js';
import type { Person } from './world.js';

const documents = {
  create: `mutation ($input: CreatePostInput!) { createPost(input: $input) { eventCursor post {
    id slug title content excerpt isPublished publishedAt viewCount version author { id } } } }`,
  update:
    'mutation ($input: UpdatePostInput!) { updatePost(input: $input) { post { id slug title content excerpt isPublished version } } }',
  publish:
    'mutation ($input: PublishPostInput!) { publishPost(input: $input) { eventCursor post { isPublished publishedAt version } } }',
  unpublish:
    'mutation ($input: UnpublishPostInput!) { unpublishPost(input: $input) { post { isPublished publishedAt version } } }',
  remove: 'mutation ($input: DeletePostInput!) { deletePost(input: $input) { deletedPostId eventCursor } }',
  read: `query ($by: PostBy!) { post(by: $by) { id slug title content excerpt isPublished publishedAt viewCount version author { id } space { id }
    comments { totalCount nodes { content } } } }`,
  list: `query ($id: ID!, $filter: PostFilter, $orderBy: PostOrder! = CREATED_DESC, $first: Int, $after: String, $last: Int, $before: String) {
    space(by: { id: $id }) { posts(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
      totalCount nodes { id title slug } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`,
  comment: `mutation ($input: CreateCommentInput!) { createComment(input: $input) { eventCursor comment {
    id content depth version isDeleted author { id } parent { id } subject { ... on Post { id } ... on TreeNode { id } } } } }`,
  editComment:
    'mutation ($input: UpdateCommentInput!) { updateComment(input: $input) { comment { id content version } } }',
  removeComment: `mutation ($input: DeleteCommentInput!) { deleteComment(input: $input) { deletedCommentId comment {
    content isDeleted version author { id } } } }`,
  thread: `query ($id: ID!, $first: Int, $after: String) { node(id: $id) { ... on Post { comments(first: $first, after: $after) { ...T } }
    ... on TreeNode { comments(first: $first, after: $after) { ...T } } } }
    fragment T on CommentConnection { totalCount pageInfo { hasNextPage endCursor } nodes { id content isDeleted depth author { id }
      replies { totalCount nodes { id content isDeleted parent { id } } } } }`,
} as const;

export interface MadePost {
  readonly id: string;
  readonly slug: string;
  readonly version: number;
}

/** What someone can do with posts and comments: each answers the whole answer, and changes nothing when it is refused. */
export function postsOf(person: Person) {
  const change = (document: string) => (input: object) => person.run(document, { input });
  return {
    create: change(documents.create),
    update: change(documents.update),
    publish: change(documents.publish),
    unpublish: change(documents.unpublish),
    remove: change(documents.remove),
    comment: change(documents.comment),
    editComment: change(documents.editComment),
    removeComment: change(documents.removeComment),
    /** The post as this person sees it, or null. */
    read: async (by: object) => (await person.run(documents.read, { by })).data?.post ?? null,
    /** One page of a space's posts; null when the space is not there. */
    list: async (id: string, more: object = {}) =>
      (await person.run(documents.list, { id, ...more })).data?.space?.posts ?? null,
    titles: async (id: string, more: object = {}): Promise<string[]> =>
      (await person.run(documents.list, { id, ...more })).data.space.posts.nodes.map(
        ({ title }: { title: string }) => title,
      ),
    /** The comments on something, with the first replies; undefined when it is not there. */
    thread: async (id: string, more: object = {}) =>
      (await person.run(documents.thread, { id, ...more })).data?.node?.comments,
  };
}

/** A draft. */
export const newDraft = async (author: Person, spaceId: string, more: object = {}): Promise<MadePost> =>
  (await make<{ post: MadePost }>(author, documents.create, { spaceId, title: 'A post', ...more })).post;

/** A published post, at version 2. */
export async function newPost(author: Person, spaceId: string, more: object = {}): Promise<MadePost> {
  const draft = await newDraft(author, spaceId, more);
  await make(author, documents.publish, { id: draft.id, version: 1 });
  return { ...draft, version: 2 };
}

/** A comment, or with `parentId` a reply. */
export const newComment = async (
  author: Person,
  subjectId: string,
  content: string,
  parentId: string | null = null,
): Promise<{ readonly id: string; readonly depth: number }> =>
  (
    await make<{ comment: { id: string; depth: number } }>(author, documents.comment, {
      subjectId,
      content,
      parentId,
    })
  ).comment;
