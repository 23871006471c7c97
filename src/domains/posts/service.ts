import type { Ctx } from '../../core/context.js';
import { depart } from '../../core/departed.js';
import { AppError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import type { Selection } from '../../core/reading.js';
import { columnsSql } from '../../core/sql.js';
import { unchanged } from '../../core/versions.js';
import { type Tx, type Written, write } from '../../core/write.js';
import { writeExisting } from '../../core/write-existing.js';
import type {
  CreatePostInput,
  DeletePostInput,
  PostBy,
  PublishPostInput,
  UnpublishPostInput,
  UpdatePostInput,
} from '../../generated/graphql.js';
import { postBy } from './loaders.js';
import { NewPost, PostChange, type PostRow, PostVersion, postShape } from './post.js';
import { assertFreeSlug, freeSlug, lockSlugs, slugOf } from './slug.js';
import { summaryOf } from './summary.js';
import { noteView } from './views.js';

const columns = columnsSql(postShape);

/** Removes what newer domains have hung on things that are deleted. */
export type Forget = (tx: Tx, subjectIds: readonly string[]) => Promise<void>;

/** The post, or null; of a published one it is a view. */
export async function post(ctx: Ctx, by: PostBy, at?: Selection): Promise<PostRow | null> {
  const found = await postBy(ctx, by, at);
  if (found?.isPublished) noteView(ctx, found);
  return found;
}

/** Writes a draft, with a slug of its own when none is given. */
export async function createPost(ctx: Ctx, input: CreatePostInput): Promise<Written<PostRow>> {
  const { spaceId, title, content, slug, excerpt = null } = parse(NewPost, input);
  return write(ctx, 'post.write', { space: spaceId }, async (tx) => {
    await lockSlugs(tx, spaceId);
    if (slug != null) await assertFreeSlug(tx, spaceId, slug);
    const free = slug ?? (await freeSlug(tx, spaceId, slugOf(title)));
    const [row] =
      await tx.sql<PostRow>`insert into "Post" (id, "spaceId", "authorId", slug, title, content, excerpt, summary, "createdAt", "updatedAt")
      values (${newId('post')}, ${spaceId}, ${tx.actorId}, ${free}, ${title}, ${content}, ${excerpt}, ${summaryOf(content)}, ${tx.now}, ${tx.now})
      returning ${columns}`;
    if (!row) throw new Error('An inserted post was not answered.');
    tx.emit('post.created', 'Post', row.id, { version: row.version });
    return row;
  });
}

/** Changes the fields that are given; CONFLICT unless it has the version. */
export async function updatePost(ctx: Ctx, input: UpdatePostInput): Promise<Written<PostRow>> {
  const { id, version, title, content, slug, excerpt } = parse(PostChange, input);
  return writePost(ctx, id, async (tx, post) => {
    if (slug !== undefined) {
      await lockSlugs(tx, post.spaceId);
      await assertFreeSlug(tx, post.spaceId, slug, id);
    }
    const [row] =
      await tx.sql<PostRow>`update "Post" set title = coalesce(${title ?? null}::text, title), slug = coalesce(${slug ?? null}::text, slug),
        content = coalesce(${content ?? null}::text, content), summary = case when ${content !== undefined}::boolean then ${summaryOf(content ?? '')} else summary end,
        excerpt = case when ${excerpt !== undefined}::boolean then ${excerpt ?? null} else excerpt end, version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} and version = ${version} returning ${columns}`;
    if (!row) throw await unchanged(tx, postShape, id);
    tx.emit('post.updated', 'Post', id, { version: row.version });
    return row;
  });
}

/** Shows a draft to everybody who reads the space. */
export const publishPost = (ctx: Ctx, input: PublishPostInput) => setPublished(ctx, input, true);

/** Makes a published post a draft again. */
export const unpublishPost = (ctx: Ctx, input: UnpublishPostInput) => setPublished(ctx, input, false);

async function setPublished(ctx: Ctx, input: PublishPostInput, isPublished: boolean): Promise<Written<PostRow>> {
  const { id, version } = parse(PostVersion, input);
  return writePost(ctx, id, async (tx, post) => {
    if (post.version === version && post.isPublished === isPublished)
      throw new AppError('CONFLICT', isPublished ? 'The post is published already.' : 'The post is a draft.');
    const [row] =
      await tx.sql<PostRow>`update "Post" set "isPublished" = ${isPublished}, "publishedAt" = ${isPublished ? tx.now : null}::timestamptz,
        version = version + 1, "updatedAt" = ${tx.now}
      where id = ${id} and version = ${version} and "isPublished" <> ${isPublished} returning ${columns}`;
    if (!row) throw await unchanged(tx, postShape, id);
    tx.emit(isPublished ? 'post.published' : 'post.unpublished', 'Post', id, { version: row.version });
    return row;
  });
}

/** Deletes a post for good; `forget` takes along what hangs on it. */
export async function deletePost(ctx: Ctx, input: DeletePostInput, forget: Forget): Promise<Written<string>> {
  const { id, version } = parse(PostVersion, input);
  return writePost(ctx, id, async (tx) => {
    const [row] = await tx.sql<
      Pick<PostRow, 'isPublished' | 'authorId'>
    >`delete from "Post" where id = ${id} and version = ${version} returning "isPublished", "authorId"`;
    if (!row) throw await unchanged(tx, postShape, id);
    await depart(tx, { id, least: row.isPublished ? null : 'EDITOR', alsoBy: row.authorId });
    await forget(tx, [id]);
    tx.emit('post.deleted', 'Post', id, { version }, { operation: 'DELETE' });
    return id;
  });
}

const writePost = <T>(ctx: Ctx, id: string, change: (tx: Tx, post: PostRow) => Promise<T>): Promise<Written<T>> =>
  writeExisting(ctx, 'post.write', postShape, id, change);
