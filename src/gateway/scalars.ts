import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql';
import { isSoundText } from '../core/json.js';
import { email, isCommonInstant, slug, webAddress } from '../core/rules.js';

const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

function refuse(name: string, form: string): never {
  throw new GraphQLError(`${name} must be ${form}.`);
}

const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  serialize: (value) => (value instanceof Date ? value : new Date(value as string)).toISOString(),
  parseValue(value) {
    const date = typeof value === 'string' && instant.test(value) ? new Date(value) : null;
    return date && isCommonInstant(date)
      ? date
      : refuse('A DateTime', 'an RFC 3339 instant such as 2026-11-20T08:30:00Z');
  },
});

const JsonScalar = new GraphQLScalarType({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

/** A scalar that is text of a certain form. */
function text(name: string, form: string, fits: (value: string) => boolean): GraphQLScalarType<string, string> {
  const parse = (value: unknown) =>
    typeof value === 'string' && fits(value) ? value : refuse(`A value of ${name}`, form);
  return new GraphQLScalarType<string, string>({
    name,
    serialize: (value) => `${value}`,
    parseValue: parse,
    parseLiteral: (node) => parse(node.kind === Kind.STRING ? node.value : null),
  });
}

const by = (rule: typeof slug) => (value: string) => rule.safeParse(value).success;

// TreePath and EventCursor are checked where they are used, which can name the argument.
export const scalars = {
  DateTime,
  JSON: JsonScalar,
  TreePath: text('TreePath', 'text', isSoundText),
  EventCursor: text('EventCursor', 'text', (value) => value.length <= 100 && isSoundText(value)),
  Slug: text('Slug', '1–63 lower-case letters, digits and single hyphens', by(slug)),
  EmailAddress: text('EmailAddress', 'an e-mail address', by(email)),
  URL: text('URL', 'an absolute http(s) URL', by(webAddress)),
};
