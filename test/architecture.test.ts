import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  buildASTSchema,
  concatAST,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  getNamedType,
  isInputObjectType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  parse,
} from 'graphql';
import { actions } from '../src/core/actions.js';
import { eventTypes } from '../src/core/events.js';

const files = (folder: string, ending: RegExp) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file) && !file.includes('generated/'))
    .map((file) => join(folder, file))
    .sort();

const sources = files('src', /\.tsx?$/);
const layerOf = (file: string) => (file.split('/').length > 2 ? (file.split('/')[1] ?? '') : '');
const domainOf = (file: string) => /^src\/domains\/([^/]+)\//.exec(file)?.[1];

/** Modules of the project that a file imports, by path. */
function importsOf(file: string): string[] {
  const from = readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g);
  return [...from].map(([, path = '']) => relative('.', join(dirname(file), path)).replace(/\.js$/, '.ts'));
}

/** Packages that a file imports. */
function packagesOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/from '([^.'][^']*)'/g)].map(([, name = '']) => name);
}

/** Who may import whom, besides itself and what is generated. server.ts and app.ts put everything together and may import all. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  platform: [],
  core: ['platform'],
  protocol: [],
  domains: ['core', 'platform', 'protocol'],
  gateway: ['core', 'platform', 'domains', 'protocol'],
  jobs: ['core', 'platform', 'domains'],
  graphiql: [],
  client: ['protocol'],
};

/** What the page and its server hand each other: types, and nothing that runs. */
const sharedTypes = 'src/graphiql/demo-world.ts';

/** A port is `platform/<name>/<name>.ts`; besides ports, the log and the names of database failures are for all. */
const isPort = (path: string) =>
  /\/(\w+)\/\1\.ts$/.test(path) || ['src/platform/log.ts', 'src/platform/database/outage.ts'].includes(path);

describe('layers', () => {
  test.each(sources.filter((file) => layerOf(file) in mayImport))('%s imports only from layers below it', (file) => {
    for (const path of importsOf(file)) {
      const layer = layerOf(path);
      if (path.startsWith('src/generated/') || path === sharedTypes) continue;
      expect([layerOf(file), ...(mayImport[layerOf(file)] ?? [])]).toContain(layer);
      if (layer === 'platform' && layerOf(file) !== 'platform')
        expect({ path, isPort: isPort(path) }).toEqual({ path, isPort: true });
    }
  });

  test.each(sources.filter((file) => layerOf(file) === 'core' || domainOf(file)))(
    '%s knows neither GraphQL nor HTTP',
    (file) => {
      expect(
        packagesOf(file).filter((name) => /^(graphql|@apollo|@graphql|graphql-ws|ws|node:http|node:https)/.test(name)),
      ).toEqual([]);
    },
  );

  test.each(sources.filter(domainOf))('%s reads and writes through core alone', (file) => {
    const source = readFileSync(file, 'utf8');
    expect(source).not.toMatch(/\binclude:/);
    expect(source).not.toMatch(/\bdatabase\.prisma\b/);
    expect(source).not.toMatch(/\$queryRaw|\$executeRaw|\$transaction/);
  });

  test('the page and its server share types alone', () => {
    expect(readFileSync(sharedTypes, 'utf8')).not.toMatch(/\b(import|function|const|class|enum)\b/);
    const importers = sources.filter((file) => importsOf(file).includes(sharedTypes) && layerOf(file) !== 'graphiql');
    expect(importers).toEqual(['src/gateway/graphiql.ts']);
  });

  test("the package's client is made of itself, its protocol and its documents, and of nothing that only servers have", () => {
    const read = new Set<string>();
    const walk = (file: string): void => {
      if (read.has(file)) return;
      read.add(file);
      importsOf(file).forEach(walk);
    };
    walk('src/client/entry.ts');
    expect(read.size).toBeGreaterThan(10);
    expect([...read].filter((file) => !/^src\/(client|protocol)\/|^src\/generated\/client\.ts$/.test(file))).toEqual(
      [],
    );
    expect([...new Set([...read].flatMap(packagesOf))].sort()).toEqual([
      '@graphql-typed-document-node/core',
      'ai',
      'graphql-sse',
      'graphql-ws/client',
    ]);
  });

  test('raw SQL stays out of resolvers and the gateway', () => {
    const offenders = sources
      .filter((file) => /resolvers\.ts$|^src\/gateway\//.test(file))
      .filter((file) => /\bselect\b[^;]*\bfrom "/i.test(readFileSync(file, 'utf8')));
    expect(offenders).toEqual([]);
  });

  test('domains do not depend on each other in a circle', () => {
    const needs = new Map<string, Set<string>>();
    for (const file of sources) {
      const from = domainOf(file);
      if (!from) continue;
      for (const to of importsOf(file).map(domainOf))
        if (to && to !== from) needs.set(from, (needs.get(from) ?? new Set()).add(to));
    }
    const walk = (domain: string, path: readonly string[]): void => {
      expect({ path: [...path, domain].join(' → '), circle: path.includes(domain) }).toMatchObject({ circle: false });
      for (const next of needs.get(domain) ?? []) walk(next, [...path, domain]);
    };
    for (const domain of needs.keys()) walk(domain, []);
  });

  test('every domain has its SDL file, and every SDL file its domain', () => {
    const sdl = readdirSync('schema')
      .filter((file) => !file.startsWith('_'))
      .map((file) => file.replace('.graphql', ''));
    const domains = readdirSync('src/domains', { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    expect(domains.sort()).toEqual(sdl.sort());
  });
});

describe('files', () => {
  test.each(sources)('%s is short enough to read in one go, and reads no environment', (file) => {
    const source = readFileSync(file, 'utf8');
    expect(source.split('\n').length).toBeLessThanOrEqual(250);
    if (file !== 'src/env.ts') expect(source).not.toContain('process.env');
    expect(source).not.toMatch(/\bTODO\b|\bFIXME\b|@ts-ignore|@ts-expect-error|\bas any\b|: any\b(?! [a-z])/);
  });

  test('half of the files have fewer than 85 lines', () => {
    const lines = sources.map((file) => readFileSync(file, 'utf8').split('\n').length).sort((a, b) => a - b);
    expect(lines[Math.floor(lines.length / 2)]).toBeLessThan(85);
  });

  test('files are named after nouns, in kebab-case', () => {
    const odd = sources.filter(
      (file) =>
        !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.tsx?$/.test(file.split('/').at(-1) ?? '') ||
        /\/(utils?|helpers?|types|common|index|misc)\.tsx?$/.test(file),
    );
    expect(odd).toEqual([]);
  });
});

const schema = buildASTSchema(
  concatAST(files('schema', /\.graphql$/).map((file) => parse(readFileSync(file, 'utf8')))),
);
const fieldsOf = (root: 'Mutation' | 'Subscription') => {
  const type = schema.getType(root);
  return isObjectType(type) ? Object.values(type.getFields()) : [];
};
const changes: GraphQLField<unknown, unknown>[] = [...fieldsOf('Mutation'), ...fieldsOf('Subscription')];
const codes = schema.getType('ErrorCode')?.astNode;
const known = codes?.kind === 'EnumTypeDefinition' ? (codes.values ?? []).map(({ name }) => name.value) : [];

describe('the contract', () => {
  test.each(changes.map((field) => [field.name, field.description ?? ''] as const))(
    '%s says who may call it and how it fails',
    (_, said) => {
      const names = [
        ...(/Access: ([^.]*(?:\.\w+[^.]*)*)\. (?:Event|Errors):/.exec(said)?.[1] ?? '').matchAll(/\b(\w+\.\w+)\b/g),
      ].map(([name]) => name);
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) expect(Object.keys(actions)).toContain(name);
      const errors =
        /Errors: ([A-Z_, ]+)/
          .exec(said)?.[1]
          ?.split(/, | /)
          .filter((word) => /^[A-Z]+(_[A-Z]+)*$/.test(word) && word.length > 3) ?? [];
      expect(errors.length).toBeGreaterThan(0);
      for (const code of errors) expect(known).toContain(code);
    },
  );

  test.each(fieldsOf('Mutation').map((field) => [field.name, field.description ?? ''] as const))(
    '%s names the events it writes, and answers a payload',
    (name, said) => {
      const events = [...(/Event: ([^:]*)\. Errors:/.exec(said)?.[1] ?? '').matchAll(/\b(\w+\.\w+)\b/g)].map(
        ([event]) => event,
      );
      for (const event of events) expect(Object.keys(eventTypes)).toContain(event);
      expect(/Event: /.test(said)).toBe(true);
      const payload = schema.getType(`${name[0]?.toUpperCase()}${name.slice(1)}Payload`);
      expect(isObjectType(payload) && 'eventCursor' in payload.getFields()).toBe(true);
    },
  );

  test('every type has a description, but those whose name says what they are', () => {
    const bare = Object.values(schema.getTypeMap()).filter(
      (type) => isObjectType(type) && !namesItself.test(type.name) && !type.description,
    );
    expect(bare.map(String)).toEqual([]);
  });

  test('whatever may be null or left out, and every number, text and list that is sent, has a description', () => {
    expect(Object.values(schema.getTypeMap()).flatMap(unsaid)).toEqual([]);
  });
});

const namesItself = /^__|^(Query|Mutation|Subscription)$|(Connection|Edge|Payload)$/;
/** PageInfo tells of them once. */
const paging = ['first', 'after', 'last', 'before'];
const isConnection = (type: GraphQLOutputType) => getNamedType(type).name.endsWith('Connection');

/** The members of a type about whose null or bounds nothing is said. An argument may be told of in the description of its field. */
function unsaid(type: GraphQLNamedType): string[] {
  if (type.name.startsWith('__')) return [];
  if (isInputObjectType(type)) return type.isOneOf ? [] : inputsUnsaid(type).map((name) => `${type.name}.${name}`);
  if (!isObjectType(type)) return [];
  const fields = Object.values(type.getFields());
  return [
    ...fields
      .filter((field) => !namesItself.test(type.name) && !isNonNullType(field.type) && !field.description)
      .map(({ name }) => `${type.name}.${name}`),
    ...fields.flatMap((field) =>
      field.args
        .filter((arg) => !isRequiredArgument(arg) && !(isConnection(field.type) && paging.includes(arg.name)))
        .filter(({ name, description }) => !description && !field.description?.includes(`\`${name}\``))
        .map(({ name }) => `${type.name}.${field.name}(${name}:)`),
    ),
  ];
}

function inputsUnsaid(type: GraphQLInputObjectType): string[] {
  return Object.values(type.getFields())
    .filter((field) => !isNonNullType(field.type) || /^\[|^(Int|Float|String)\b/.test(String(field.type)))
    .filter(({ description }) => !description)
    .map(({ name }) => name);
}
