import { randomBytes } from 'node:crypto';

const longest = 40;

/** What could be someone's handle: first as close to the text as the form of a handle allows, then with something random behind it. */
export function* handles(text: string): Generator<string> {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const base =
    plain
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, longest)
      .replace(/^-+|-+$/g, '') || 'user';
  yield base;
  for (let attempt = 0; attempt < 5; attempt += 1) yield `${base}-${randomBytes(3).toString('hex')}`;
}
