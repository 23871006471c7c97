import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/** Older domains first: a domain builds on those before it. */
const order = [
  'identity',
  'organizations',
  'spaces',
  'invitations',
  'tree',
  'files',
  'knowledge',
  'posts',
  'comments',
  'tasks',
  'chats',
  'realtime',
  'audit',
];

/** The domain of each table, which is the file of its model. What the log and repeated calls keep is core's, for all to use. */
const ownerOf = new Map(
  order
    .filter((domain) => domain !== 'realtime')
    .flatMap((domain) =>
      [...readFileSync(`prisma/models/${domain}.prisma`, 'utf8').matchAll(/^model (\w+)/gm)].map(
        ([, model = '']) => [model, domain] as const,
      ),
    ),
);

const changes = order.flatMap((domain) =>
  readdirSync(`src/domains/${domain}`).flatMap((file) =>
    [
      ...readFileSync(`src/domains/${domain}/${file}`, 'utf8').matchAll(
        /\b(?:insert into|update|delete from) "(\w+)"/g,
      ),
    ].map(([, table = '']) => [`${domain}/${file}`, table, domain] as const),
  ),
);

test.each(changes)('%s changes %s, which is its own or an older domain’s', (_, table, domain) => {
  const owner = ownerOf.get(table);
  if (owner) expect(order.indexOf(owner)).toBeLessThanOrEqual(order.indexOf(domain));
});

test('an older domain’s tables are found, and so are the changes of them', () => {
  expect(ownerOf.get('SpaceMember')).toBe('spaces');
  expect(changes.length).toBeGreaterThan(20);
});
