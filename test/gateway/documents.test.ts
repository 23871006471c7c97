import { describe, expect, test } from '@jest/globals';
import { documents } from '../../src/gateway/documents.js';
import { schema } from '../support/world.js';

const ok = '{ viewer { user { id } } }';
const schemaQuery = '{ __schema { queryType { name } } }';

describe('a document is remembered by its text', () => {
  test('and nothing that somebody else sends changes what it is', () => {
    const known = documents(schema);
    for (const poison of [`-${ok}`, ` ${ok}-`, `+${ok}`, `${ok}\u0000`]) {
      known.prepare(poison, true);
      known.prepare(poison, false);
    }
    expect(known.prepare(ok, false)).toHaveProperty('document');
    expect(known.prepare(ok, true)).toBe(known.prepare(ok, false));
  });

  test('and who may see the schema is asked each time', () => {
    const known = documents(schema);
    expect(known.prepare(schemaQuery, true)).toHaveProperty('document');
    expect(known.prepare(schemaQuery, false)).toHaveProperty('errors');
    expect(known.prepare(schemaQuery, true)).toHaveProperty('document');
  });

  test('as long as there is room, and made again after that', () => {
    const known = documents(schema);
    const first = known.prepare(ok, false);
    for (let n = 0; n < 2_100; n += 1) known.prepare(`{ a${n}: viewer { user { id } } }`, false);
    expect(known.prepare(ok, false)).not.toBe(first);
    expect(known.prepare(ok, false)).toEqual(first);
  });

  test('unless it is longer than any document need be', () => {
    const long = `${ok}#${'x'.repeat(66_000)}`;
    expect(documents(schema).prepare(long, true)).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }],
    });
  });
});
