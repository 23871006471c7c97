import {
  type GraphQLField,
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { newId } from '../../src/core/ids.js';
import { seeded } from './seeded.js';
import { schema } from './world.js';

const deep = (levels: number) => JSON.parse(`${'[{"a":'.repeat(levels)}1${'}]'.repeat(levels)}`) as unknown;
/** A value as cursors are written. */
export const encoded = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** What no value of a type is, whatever it is for. */
// biome-ignore format: a table
export const wrong: Readonly<Record<string, readonly unknown[]>> = {
  ID: [{}, [], [{}], true, 1.5, '', '\u0000', '\ud800', 'node_', 'user_zzzzzzzzzzzzzzzzzzzzzzzzzz', 'space_01h455vb4pex5vsknk084sn02q', 'node_01H455VB4PEX5VSKNK084SN02Q', "' or 1=1 --", 'x'.repeat(10_000), newId('node')],
  String: [{}, [], 5, true, '\u0000', 'a\u0000b', '\ud800x', 'x'.repeat(300_000)],
  Int: ['1', 1.5, 2 ** 31, -(2 ** 31) - 1, {}, [], true, 'NaN', 1e300],
  Boolean: ['true', 1, 0, {}, []],
  DateTime: ['', 'now', '2026', '2026-13-01T00:00:00Z', '2026-02-30T25:00:00Z', '2026-01-01', 5, {}, [], '\u0000', '+275760-09-13T00:00:00.001Z', '0000-00-00T00:00:00Z'],
  JSON: ['\u0000', ['\ud800'], { '\u0000': 1 }, deep(33), deep(900), { a: [{ b: 'x\udfff' }] }, 'x'.repeat(300_000)],
  TreePath: ['', 'a', '//', '/a/', '/..', '/../../etc', '/%2e', '/a\\b', '/\u0000', '/\ud800', '/a\u202e', `/${'x'.repeat(256)}`, '/a'.repeat(33), '/_system/x/../y', 5, {}, [], null, 'x'.repeat(50_000), '/_system\u0000'],
  EventCursor: ['', 'x', encoded('1.x'), encoded('-1.1'), encoded('9'.repeat(25)), 'x'.repeat(200), '\u0000', '\ud800', 5, {}, []],
  Slug: ['', 'A', '-a', 'a--b', 'a b', 'x'.repeat(64), '\u0000', 5, {}, []],
  EmailAddress: ['', 'a', '@', 'a@b@c', 'a b@c', 'x'.repeat(300), '\u0000@a', 5, {}],
  URL: ['', 'a', 'javascript:alert(1)', 'file:///etc/passwd', '//x', 'http://', `http://${'x'.repeat(3_000)}`, 5, {}],
  enum: ['NOPE', '', 0, {}, [], 'owner', '__proto__'],
  input: [5, 'x', [], true, { unknown: 1 }, { __proto__x: 1 }],
  cursor: ['', 'x', encoded([]), encoded(['tag']), encoded(['tag', 1]), encoded({}), encoded('[["deep"]]'), '\u0000', '\ud800', 'x'.repeat(5_000)],
};

/** The least that can be selected of an answer. */
function selection(field: GraphQLField<unknown, unknown>): string {
  const type = getNamedType(field.type);
  return isLeafType(type)
    ? ''
    : isObjectType(type) && type.getFields()['eventCursor']
      ? '{ eventCursor }'
      : '{ __typename }';
}

/** Every root field that takes arguments. */
export const roots = (['Query', 'Mutation'] as const).flatMap((kind) =>
  Object.values((kind === 'Query' ? schema.getQueryType() : schema.getMutationType())?.getFields() ?? {})
    .filter(({ args }) => args.length > 0)
    .map((field) => ({ kind, field })),
);

type Root = (typeof roots)[number];

/** Calls of root fields with one thing wrong in their arguments, the same for the same seed. `spaceId` is a space that exists. */
export function malformedCalls(seed: number, spaceId: string) {
  const { pick, upTo, chance } = seeded(seed);

  /** A value of a type that could pass, except for one leaf; `spoil` counts down to it. */
  function value(type: GraphQLInputType, name: string, spoil: { left: number }): unknown {
    if (isNonNullType(type)) return value(type.ofType, name, spoil);
    if (isListType(type)) return [value(type.ofType, name, spoil)];
    const named = getNamedType(type);
    const isSpoilt = spoil.left-- === 0;
    if (isInputObjectType(named)) {
      if (isSpoilt) return pick(wrong['input'] ?? []);
      const fields = Object.values(named.getFields());
      const chosen = named.isOneOf
        ? [pick(fields)]
        : fields.filter((field) => isNonNullType(field.type) || chance() < 0.7);
      return Object.fromEntries(chosen.map((field) => [field.name, value(field.type, field.name, spoil)]));
    }
    if (isSpoilt)
      return pick(
        wrong[
          name === 'after' || name === 'before'
            ? named.name === 'String'
              ? 'cursor'
              : named.name
            : isEnumType(named)
              ? 'enum'
              : named.name
        ] ?? [{}],
      );
    return sound(named.name, name) ?? (isEnumType(named) ? pick(named.getValues()).name : 'x');
  }

  function sound(type: string, name: string): unknown {
    if (type === 'ID')
      return /spaceId/.test(name) ? spaceId : newId(pick(['node', 'space', 'user', 'org', 'key', 'inv']));
    if (type === 'Int') return 1 + upTo(3);
    if (type === 'Boolean') return upTo(1) === 1;
    if (type === 'TreePath') return `/fuzz/${upTo(1e6)}`;
    if (type === 'JSON') return { a: [1, 'é'] };
    if (type === 'DateTime') return '2026-01-01T00:00:00Z';
    if (type === 'Slug') return `fuzz-${upTo(1e6)}`;
    if (type === 'EmailAddress') return `${upTo(1e6)}@example.org`;
    if (type === 'URL') return 'https://example.org/a.png';
    if (type === 'EventCursor') return encoded('1.1');
    return type === 'String' && !/^(after|before)$/.test(name) ? 'text' : undefined;
  }

  /** A call of a root field with one thing wrong in its arguments. */
  function malformed({ kind, field }: Root) {
    const spoil = { left: upTo(6) };
    const variables: Record<string, unknown> = {};
    for (const arg of field.args)
      if (isNonNullType(arg.type) || chance() < 0.8) variables[arg.name] = value(arg.type, arg.name, spoil);
    if (spoil.left >= 0) {
      const arg = pick(field.args.filter(({ name }) => name in variables || field.args.length === 1));
      variables[arg.name] = value(arg.type, arg.name, { left: isInputObjectType(getNamedType(arg.type)) ? 1 : 0 });
    }
    const used = field.args.filter(({ name }) => name in variables);
    const declared = used.map(({ name, type }) => `$${name}: ${type}`).join(', ');
    const passed = used.map(({ name }) => `${name}: $${name}`).join(', ');
    const head = declared ? `(${declared})` : '';
    return {
      query: `${kind.toLowerCase()} ${head} { ${field.name}${passed ? `(${passed})` : ''} ${selection(field)} }`,
      variables,
    };
  }

  return { malformed, pick, upTo };
}
