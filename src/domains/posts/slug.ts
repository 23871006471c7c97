import { AppError } from '../../core/errors.js';
import { maxSlug } from '../../core/rules.js';
import type { Tx } from '../../core/write.js';

/** Letters that do not come apart into one of a–z and a mark. */
const spelled: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

/** The slug that a title suggests; `post` for one without a Latin letter or digit. */
export function slugOf(title: string): string {
  const plain = title
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[ßæœøłđðþı]/g, (letter) => spelled[letter] ?? letter)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '');
  return cut(plain, maxSlug) || 'post';
}

const cut = (slug: string, length: number) => slug.slice(0, length).replace(/-+$/, '');

/** Of all who give posts of this space a slug, one at a time does, until it commits. */
export async function lockSlugs(tx: Tx, spaceId: string): Promise<void> {
  await tx.sql`select pg_advisory_xact_lock(hashtextextended(${`slugs of posts of ${spaceId}`}, 0))`;
}

/** Throws when another post of the space has the slug; it stays free while the slugs are locked. */
export async function assertFreeSlug(
  tx: Tx,
  spaceId: string,
  slug: string,
  postId: string | null = null,
): Promise<void> {
  const [other] =
    await tx.sql`select id from "Post" where "spaceId" = ${spaceId} and slug = ${slug} and id is distinct from ${postId}::text`;
  if (!other) return;
  const fields = [{ path: 'slug', message: 'is that of another post of the space' }];
  throw new AppError('CONFLICT', 'Another post of the space has that slug.', { fields });
}

/** For a hyphen and seven digits, and the hyphen that a cut may leave. */
const numberRoom = 9;

/** The slug, or the first of it with -2, -3… behind it that no post of the space has; it stays free while the slugs are locked. */
export async function freeSlug(tx: Tx, spaceId: string, slug: string): Promise<string> {
  // A long one is cut to make room for the number.
  const whole = slug.length <= maxSlug - numberRoom;
  const from = whole ? `${slug}-` : slug.slice(0, maxSlug - numberRoom);
  const rows = await tx.sql<{ slug: string }>`select slug from "Post" where "spaceId" = ${spaceId}
    and (slug = ${slug} or (slug >= ${from} and slug < ${whole ? `${slug}.` : `${from}~`}))`;
  const taken = new Set(rows.map((row) => row.slug));
  let free = slug;
  for (let number = 2; taken.has(free); number += 1) free = `${cut(slug, maxSlug - `-${number}`.length)}-${number}`;
  return free;
}
