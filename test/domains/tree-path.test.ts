import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/core/errors.js';
import {
  below,
  depthOf,
  isAtOrBelow,
  nameOf,
  parentOf,
  parsePath,
  rebase,
  writablePath,
} from '../../src/domains/tree/path.js';
import { seeded } from '../support/seeded.js';
import { traversal } from '../support/traversal.js';

const family = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}';

// biome-ignore format: a table
const good = [
  '/', '/a', '/a/b', '/A/b', '/a/B', '/0', '/-', '/_', '/~', '/a.b', '/a..b', '/...', '/.hidden', '/a/.git', '/trailing.', '/a b', '/a\u00a0b', '/a\u3000b',
  '/user@example.org', '/50%', '/100%25', '/%zz', '/a+b=c&d?e#f', '/"quoted"', "/it's", '/<b>', '/a|b', '/a*b', '/$x', '/{x}', '/[x]', '/(x)', '/a,b;c:d!', '/`', '/^',
  '/café', '/Ünïcödé', '/日本語/ノート', '/한국어', '/中文', '/العربية', '/עברית', '/हिन्दी', '/ไทย', '/ελληνικά', '/кириллица', '/ქართული', '/አማርኛ', '/\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
  '/🌱', `/${family}`, '/👩🏽‍🔬', '/🏳️‍🌈', '/🇩🇪', '/1️⃣', '/✈️', '/€', '/½', '/Ⅷ', '/𝒳', '/価格／月', '/_systems', '/_System', '/x/_system', '/constructor', '/__proto__',
];

// biome-ignore format: a table
const bad = [
  '', 'a', 'a/b', './a', '//', '//a', '/a/', '/a//b', '/ a', '/a ', '/a/ ', '/ ', '/\u3000a', '/a\u00a0', '/\u200d', '/a/\u200c', '/\u0301', '/a\u00adb', '/a\ufeffb', '/a\u2028b', '/a\u2029b',
  '/a\u200bb', '/a\u2060b', '/\ue000', '/a\u{10ffff}', '/a\ufdd0', '/a\u0378', '/\ud800', '/a\udc00b', '/a\nb', '/a\tb', '/a\u0085b', '/a\u{e0041}',
];

/** Runs it and answers the code that it was refused with; null when it was not. */
function codeOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code;
  }
}

test('the tables are as long as they have to be', () => {
  expect(good.length + bad.length).toBeGreaterThanOrEqual(60);
  expect(traversal.length).toBeGreaterThanOrEqual(40);
  expect(new Set([...good, ...bad, ...traversal]).size).toBe(good.length + bad.length + traversal.length);
});

test.each(good)('%j is a path, and its own normal form', (path) => {
  expect(parsePath(path)).toBe(path.normalize('NFC'));
  expect(parsePath(parsePath(path))).toBe(parsePath(path));
});

test.each(bad)('%j is no path', (path) => expect(codeOf(() => parsePath(path))).toBe('BAD_USER_INPUT'));

test.each(traversal)('%j does not get through', (path) => expect(codeOf(() => parsePath(path))).toBe('BAD_USER_INPUT'));

test('a refusal names the argument and the rule', () => {
  const refusal = { code: 'BAD_USER_INPUT', details: { fields: [{ path: 'toPath', message: 'must not end with /' }] } };
  expect(() => parsePath('/a/', 'toPath')).toThrow(expect.objectContaining(refusal));
});

test('letters are told apart by case, and not by how their accents were typed', () => {
  expect(parsePath('/cafe\u0301')).toBe('/caf\u00e9');
  expect(parsePath('/\u1112\u1161\u11ab')).toBe('/\ud55c');
  expect(parsePath('/\u212b')).toBe('/\u00c5');
  expect(parsePath('/Café')).not.toBe(parsePath('/café'));
  expect(parsePath('/ﬁ')).not.toBe(parsePath('/fi'));
});

describe('limits', () => {
  const segments = (count: number, text: string) => `/${text}`.repeat(count);
  const bytes = (count: number) => `${segments(3, 'a'.repeat(255))}/${'b'.repeat(count - 3 * 256 - 1)}`;

  test.each([
    ['1,024 bytes', bytes(1_024), bytes(1_025)],
    ['32 segments', segments(32, 'a'), segments(33, 'a')],
    ['255 bytes in a segment', `/${'a'.repeat(255)}`, `/${'a'.repeat(256)}`],
    ['255 bytes of two-byte letters', `/${'é'.repeat(127)}a`, `/${'é'.repeat(128)}`],
    ['255 bytes of four-byte signs', `/${'🌱'.repeat(63)}abc`, `/${'🌱'.repeat(64)}`],
  ])('%s, and not one more', (_, at, past) => {
    expect(codeOf(() => parsePath(at))).toBeNull();
    expect(codeOf(() => parsePath(past))).toBe('BAD_USER_INPUT');
  });

  test('are those of the normal form, whether it is shorter or longer than what came', () => {
    expect(codeOf(() => parsePath(`/${'e\u0301'.repeat(127)}`))).toBeNull();
    expect(codeOf(() => parsePath(`/${'\u0958'.repeat(42)}`))).toBeNull();
    expect(codeOf(() => parsePath(`/${'\u0958'.repeat(43)}`))).toBe('BAD_USER_INPUT');
  });

  test('megabytes are refused without a look at them', () => {
    const began = performance.now();
    expect(codeOf(() => parsePath('/\u0301'.repeat(500_000)))).toBe('BAD_USER_INPUT');
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

test('what is reserved can be named and not written', () => {
  for (const path of ['/_system', '/_system/a', '/_system/a/b']) {
    expect(parsePath(path)).toBe(path);
    expect(codeOf(() => writablePath(path))).toBe('BAD_USER_INPUT');
  }
  for (const path of ['/', '/_systems', '/_System', '/a/_system']) expect(writablePath(path)).toBe(path);
});

describe('the algebra of paths', () => {
  const { pick, upTo } = seeded(20_261_120);
  const names = ['a', 'b', 'ab', 'a-b', 'a.b', 'a!', '0', '~', 'é', 'ノート', 'العربية', '🌱', family, '\uffee', '𝒳'];
  const anyPath = (most = 6) => Array.from({ length: upTo(most) }, () => `/${pick(names)}`).join('') || '/';
  const join = (parent: string, name: string) => (parent === '/' ? `/${name}` : `${parent}/${name}`);
  const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

  test('a path is its parent and its name, one level deeper', () => {
    for (let i = 0; i < 2_000; i += 1) {
      const path = anyPath();
      if (path === '/') continue;
      expect(join(parentOf(path), nameOf(path))).toBe(path);
      expect(depthOf(path)).toBe(depthOf(parentOf(path)) + 1);
      expect(isAtOrBelow(path, parentOf(path))).toBe(true);
    }
    expect([parentOf('/'), nameOf('/'), depthOf('/')]).toEqual(['', '', 0]);
  });

  test('below is by bytes what it is by segments', () => {
    for (let i = 0; i < 5_000; i += 1) {
      const prefix = anyPath(3);
      const path = pick(
        [anyPath(), join(prefix, pick(names)), `${prefix}${pick(names)}`].filter(
          (one) => codeOf(() => parsePath(one)) === null,
        ),
      );
      const { from, to } = below(prefix);
      const inside = compare(path, from) > 0 && compare(path, to) < 0;
      expect([path, prefix, inside || path === prefix]).toEqual([path, prefix, isAtOrBelow(path, prefix)]);
    }
  });

  test('being below is an order: reflexive, transitive, and both ways only for one path', () => {
    for (let i = 0; i < 2_000; i += 1) {
      const [a, b, c] = [anyPath(2), anyPath(3), anyPath(4)];
      expect(isAtOrBelow(a, a)).toBe(true);
      if (isAtOrBelow(c, b) && isAtOrBelow(b, a)) expect(isAtOrBelow(c, a)).toBe(true);
      if (isAtOrBelow(a, b) && isAtOrBelow(b, a)) expect(a).toBe(b);
    }
  });

  test('a rebased path keeps what was below, and comes back', () => {
    for (let i = 0; i < 2_000; i += 1) {
      const [from, to] = [anyPath(4), anyPath(4)];
      const path = pick([from, join(from, pick(names)), join(join(from, pick(names)), pick(names))]);
      const moved = rebase(path, from, to);
      expect(isAtOrBelow(moved, to)).toBe(true);
      expect(depthOf(moved) - depthOf(to)).toBe(depthOf(path) - depthOf(from));
      expect(rebase(moved, to, from)).toBe(path);
    }
  });

  test('a rebase past a limit is refused by the name of the target', () => {
    const deep = '/a'.repeat(31);
    expect(rebase('/x/y', '/x', deep)).toBe(`${deep}/y`);
    expect(() => rebase('/x/y/z', '/x', deep)).toThrow(
      expect.objectContaining({
        code: 'BAD_USER_INPUT',
        details: { fields: [expect.objectContaining({ path: 'toPath' })] },
      }),
    );
  });
});
