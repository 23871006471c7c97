import type { DemoWorld } from '../prisma/seed.js';

interface BannerParts {
  readonly publicUrl: string;
  readonly embedded: boolean;
  readonly graphiql: boolean;
  readonly world: DemoWorld | null;
  /** Something the person should know first. */
  readonly note: string | null;
}

/** What a person sees once the server answers. */
export function banner({ publicUrl, embedded, graphiql, world, note }: BannerParts): string {
  const lines = [
    '',
    '  Canopy is ready.',
    ...(note ? ['', `  ${note}`] : []),
    '',
    ...(graphiql ? [`  GraphiQL   ${publicUrl}/graphiql`] : []),
    `  GraphQL    ${publicUrl}/graphql`,
    `  Database   ${embedded ? 'embedded Postgres (npm run reset starts over)' : 'DATABASE_URL'}`,
  ];
  if (world) {
    lines.push('', '  Demo accounts');
    for (const { name, email, password } of world.accounts)
      lines.push(`    ${name.padEnd(14)} ${email.padEnd(24)} ${password}`);
    lines.push('', '  Demo API keys (Authorization: Bearer …)');
    for (const { name, key } of world.apiKeys) lines.push(`    ${name.padEnd(14)} ${key}`);
  }
  return `${lines.join('\n')}\n\n`;
}
