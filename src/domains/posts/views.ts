import { createHash } from 'node:crypto';
import { type Ctx, perApp } from '../../core/context.js';
import type { PostRow } from './post.js';

const flushMs = 1_000;
const batch = 5_000;
/** Past this many unwritten views, which takes a database that is long away, more are not noted. */
const maxWaiting = 200_000;

interface View {
  readonly postId: string;
  readonly viewer: string;
  /** When the hour of the view began, in milliseconds. */
  readonly hour: number;
}

const hourMs = 60 * 60 * 1_000;

/**
 * Views of posts: noted in memory, written down in batches off the path of the answer. A viewer counts once for a post and hour, in however many
 * processes: who has been counted stands in a table with a unique key. What could not be written stays, and is written later.
 */
export const postViews = perApp(({ database, log, now }) => {
  const waiting = new Map<string, View>();
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();

  function schedule(): void {
    timer ??= setTimeout(() => void flush(), flushMs).unref();
  }

  /** Writes what waits. A post that somebody is changing is left for later, unless `patiently`. */
  function flush(patiently = false): Promise<void> {
    if (timer) clearTimeout(timer);
    timer = null;
    writing = writing.then(() => writeAll(patiently));
    return writing;
  }

  async function writeAll(patiently: boolean): Promise<void> {
    const noted = [...waiting];
    for (let from = 0; from < noted.length; from += batch) {
      const views = noted.slice(from, from + batch);
      try {
        const done = await count(views, patiently);
        for (const [key, { postId }] of views) if (done.has(postId)) waiting.delete(key);
      } catch (error) {
        log.warn('Views of posts wait for the database.', { waiting: waiting.size, error });
        break;
      }
    }
    if (waiting.size > 0) schedule();
  }

  /** The posts whose views are in the count now, those that are gone included. */
  async function count(views: readonly (readonly [string, View])[], patiently: boolean): Promise<ReadonlySet<string>> {
    const columns = [
      views.map(([, { postId }]) => postId),
      views.map(([, { hour }]) => new Date(hour).toISOString()),
      views.map(([, view]) => digestOf(view)),
    ];
    const rows = await database.query<{ id: string }>(patiently ? patientSql : countSql, columns);
    return new Set(rows.map(({ id }) => id));
  }

  return {
    note(postId: string, viewer: string): void {
      if (waiting.size >= maxWaiting) return;
      const hour = Math.floor(now().getTime() / hourMs) * hourMs;
      waiting.set(`${hour} ${postId} ${viewer}`, { postId, viewer, hour });
      schedule();
    },
    flush,
  };
});

/** Notes that the operation's viewer has read a post. An address stands for whoever is not signed in. */
export function noteView({ app, viewer, request }: Ctx, { id }: PostRow): void {
  postViews(app).note(id, viewer?.userId ?? viewer?.apiKeyId ?? `at ${request.ip}`);
}

/** Tells viewers of one post apart, and says nothing of who they are. */
function digestOf({ postId, viewer }: View): string {
  return createHash('sha256').update(`${postId} ${viewer}`).digest('base64url').slice(0, 22);
}

// Who holds a post's row counts it, so two processes never count the same view, and none waits for another or for an author.
const countViews = (waits: 'skip locked' | '') => `with viewed as (
    select * from unnest($1::text[], $2::timestamptz[], $3::text[]) v("postId", hour, "viewerKey")
  ), held as (
    select id from "Post" where id in (select "postId" from viewed) order by id for no key update ${waits}
  ), seen as (
    insert into "PostView" ("postId", hour, "viewerKey")
    select v."postId", v.hour, v."viewerKey" from viewed v join held on held.id = v."postId"
    on conflict do nothing returning "postId"
  ), counted as (
    update "Post" p set "viewCount" = p."viewCount" + s.views
    from (select "postId", count(*)::int as views from seen group by "postId") s where p.id = s."postId"
  )
  select id from held union all
  select distinct v."postId" from viewed v where not exists (select from "Post" p where p.id = v."postId")`;
const countSql = countViews('skip locked');
const patientSql = countViews('');

/** Who was counted before this day and hour can be forgotten: nobody's views wait that long. */
export const forgetViewsSql = `delete from "PostView" where hour < $1::timestamptz - interval '1 day'`;
