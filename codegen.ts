import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodegenConfig } from '@graphql-codegen/cli';

/**
 * `export type SpaceRow` (or `interface`) in a domain is what resolvers receive as the parent of `Space`; a connection's parent is a page of
 * them, under a name in generated/pages.ts.
 */
function rowTypes(): Record<string, string> {
  const files = readdirSync('src/domains', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort();
  const sdl = readdirSync('schema')
    .map((file) => readFileSync(join('schema', file), 'utf8'))
    .join('\n');
  const rows: Record<string, string> = {};
  const pages = ["import type { Edge, Page } from '../core/page.js';"];
  for (const file of files) {
    for (const [, type] of readFileSync(join('src/domains', file), 'utf8').matchAll(
      /^export (?:type|interface) (\w+)Row\b/gm,
    )) {
      const module = `../domains/${file.replace(/\.ts$/, '.js')}`;
      rows[`${type}`] = `${module}#${type}Row`;
      if (!sdl.includes(`type ${type}Connection `)) continue;
      rows[`${type}Connection`] = `./pages.js#${type}Page`;
      rows[`${type}Edge`] = `./pages.js#${type}PageEdge`;
      pages.push(
        `import type { ${type}Row } from '${module}';`,
        `export type ${type}Page = Page<${type}Row>;`,
        `export type ${type}PageEdge = Edge<${type}Row>;`,
      );
    }
  }
  mkdirSync('src/generated', { recursive: true });
  writeFileSync('src/generated/pages.ts', `${pages.join('\n')}\n`);
  return rows;
}

const scalars = {
  ID: 'string',
  DateTime: 'Date',
  JSON: 'unknown',
  TreePath: 'string',
  EventCursor: 'string',
  Slug: 'string',
  EmailAddress: 'string',
  URL: 'string',
};

export default {
  schema: 'schema/*.graphql',
  documents: 'src/client/*.graphql',
  emitLegacyCommonJSImports: false,
  generates: {
    'src/generated/client.ts': {
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        scalars: { ...scalars, DateTime: 'string' },
        strictScalars: true,
        enumsAsTypes: true,
        useTypeImports: true,
        skipTypename: true,
        immutableTypes: true,
        documentMode: 'string',
      },
    },
    'src/generated/graphql.ts': {
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        contextType: '../core/context.js#Ctx',
        mappers: rowTypes(),
        scalars,
        strictScalars: true,
        enumsAsTypes: true,
        useTypeImports: true,
        skipTypename: true,
        immutableTypes: true,
        resolversNonOptionalTypename: false,
        inputMaybeValue: 'T | null | undefined',
        avoidOptionals: { field: true, defaultValue: true },
      },
    },
  },
} satisfies CodegenConfig;
