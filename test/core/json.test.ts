import { describe, expect, test } from '@jest/globals';
import { canonicalJson, mergePatch } from '../../src/core/json.js';
import { seeded } from '../support/seeded.js';

const canonical = (value: unknown) => canonicalJson(value, 'value');

// biome-ignore format: a table
const doubles: [string, string][] = [
  ['0000000000000000', '0'], ['8000000000000000', '0'], ['0000000000000001', '5e-324'], ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'], ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'], ['c340000000000000', '-9007199254740992'], ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'], ['44b52d02c7e14af6', '1e+23'], ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'], ['444b1ae4d6e2ef4f', '999999999999999900000'], ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'], ['3eb0c6f7a0b5ed8d', '0.000001'], ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'], ['41b3de4355555555', '333333333.3333333'], ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'], ['becbf647612f3696', '-0.0000033333333333333333'], ['43143ff3c1cb0959', '1424953923781206.2'],
];

// biome-ignore format: a table
const patches: [string, string, string][] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'], ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'], ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'], ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'], ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'], ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'], ['{"a":"b"}', '["c"]', '["c"]'], ['{"a":"foo"}', 'null', 'null'], ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'], ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'], ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ['{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"}',
    '{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}',
    '{"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"}'],
  ['{"a":1}', '{"__proto__":{"b":2}}', '{"a":1,"__proto__":{"b":2}}'], ['{"__proto__":{"b":2}}', '{"__proto__":null}', '{}'],
];

describe('RFC 8785', () => {
  const double = (bits: string) => Buffer.from(bits, 'hex').readDoubleBE();

  test.each(doubles)('appendix B: the double %s is written %s', (bits, text) =>
    expect(canonical(double(bits))).toBe(text),
  );

  test.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])(
    'appendix B: the double %s is no JSON',
    (bits) => {
      expect(() => canonical(double(bits))).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
    },
  );

  test('section 3.2.2: the sample', () => {
    const input = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    const output = String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`;
    expect(canonical(JSON.parse(input))).toBe(output);
  });

  test('section 3.2.3: keys are sorted by UTF-16 code units', () => {
    const input = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      1: 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect(Object.keys(JSON.parse(canonical(input)) as object).filter((key) => key !== '1')).toEqual([
      '\r',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\ud83d\ude00',
      '\ufb33',
    ]);
    expect(canonical(input)).toMatch(/^\{"\\r":"Carriage Return","1":"One",/);
  });

  test('what has been made canonical is the same again, whatever the order it came in', () => {
    const { pick, upTo } = seeded(8_785);
    const any = (level: number): unknown => {
      const kind = level > 4 ? upTo(3) : upTo(5);
      if (kind < 4)
        return [
          null,
          upTo(1) === 1,
          upTo(1e9) * 10 ** (upTo(40) - 20),
          pick(['', 'é', '€\n', '😀', '__proto__', '"\\']),
        ][kind];
      if (kind === 4) return Array.from({ length: upTo(4) }, () => any(level + 1));
      return Object.fromEntries(
        Array.from({ length: upTo(4) }, () => [
          pick(['a', 'b', '\ufb33', '😀', '__proto__', 'constructor', '10', '9']),
          any(level + 1),
        ]),
      );
    };
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, item]) => [key, reversed(item)]),
      );
    };
    for (let i = 0; i < 1_000; i += 1) {
      const value = any(0);
      expect(canonical(JSON.parse(canonical(value)))).toBe(canonical(value));
      expect(canonical(reversed(value))).toBe(canonical(value));
      expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }
  });
});

describe('RFC 7396', () => {
  test.each(patches)('%s patched by %s', (target, patch, result) => {
    expect(canonical(mergePatch(JSON.parse(target), JSON.parse(patch)))).toBe(canonical(JSON.parse(result)));
    expect(({} as { b?: unknown }).b).toBeUndefined();
  });
});
