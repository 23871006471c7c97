import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isObjectType } from 'graphql';
import { AppError } from '../../src/core/errors.js';
import { schema, type World, world } from '../support/world.js';
import { nodeRows, type Row, rootRows } from './rows.js';
import { type Actor, actors, type Stage, stage } from './stage.js';

let w: World;
beforeAll(async () => {
  w = await world();
});
afterAll(() => w.close());

const letters: Readonly<Record<string, string>> = {
  U: 'UNAUTHENTICATED',
  F: 'FORBIDDEN',
  N: 'NOT_FOUND',
  C: 'CONFLICT',
};

/** What an actor gets, as the rows spell it. */
async function ask(
  row: Pick<Row, 'document' | 'scope'>,
  variables: Record<string, unknown>,
  on: Stage,
  actor: Actor,
): Promise<string> {
  const client = w.client(on.viewer(actor, row.scope));
  if (row.document.startsWith('subscription')) {
    try {
      await (await client.hear(row.document, variables)).stop();
      return 'ok';
    } catch (error) {
      if (error instanceof AppError) return error.code;
      throw error;
    }
  }
  const { data, code } = await client.run(row.document, variables);
  if (code !== null) return code;
  const [first] = Object.values(data ?? {});
  return first === null || (Array.isArray(first) && first[0] === null) ? 'null' : 'ok';
}

async function outcomesOf(
  row: Pick<Row, 'document' | 'scope'>,
  variables: (on: Stage) => Record<string, unknown>,
): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {};
  for (const actor of actors) {
    const on = await stage(w);
    outcomes[actor] = await ask(row, variables(on), on, actor);
  }
  return outcomes;
}

function spelled(outcomes: string): Record<string, string> {
  const each = outcomes.split(' ').map((letter) => letters[letter] ?? letter);
  return Object.fromEntries(actors.map((actor, at) => [actor, each[at] ?? 'missing']));
}

test('every root field and every type of node has its row', () => {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const fields = roots.flatMap((type) => Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`));
  expect(Object.keys(rootRows).sort()).toEqual(fields.sort());
  const node = schema.getType('Node');
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && type.getInterfaces().some((one) => one === node),
  );
  expect(Object.keys(nodeRows).sort()).toEqual(types.map(String).sort());
});

describe('the access matrix', () => {
  test.each(Object.entries(rootRows))('%s', async (_, row) => {
    expect(await outcomesOf(row, row.variables)).toEqual(spelled(row.outcomes));
  });

  test.each(Object.entries(nodeRows))('node(id:) of %s', async (type, { scope, id, outcomes }) => {
    const document = `query ($id: ID!) { node(id: $id) { ... on ${type} { id } } }`;
    expect(await outcomesOf({ document, scope }, (on) => ({ id: id(on) }))).toEqual(spelled(outcomes));
  });
});

describe('what a stranger may not know of reads like what does not exist', () => {
  const rows = Object.entries(rootRows).filter(([name, row]) => row.absent && !name.startsWith('Subscription'));

  test.each(rows)('%s', async (_, row) => {
    const on = await stage(w);
    const stranger = w.client(on.viewer('stranger', row.scope));
    const answers = [
      await stranger.run(row.document, row.variables(on)),
      await stranger.run(row.document, row.absent?.(on) ?? {}),
    ];
    const [hidden, absent] = answers.map(({ data, errors }) =>
      JSON.stringify({ data, errors }).replace(/"requestId":"[^"]*"/g, ''),
    );
    expect(hidden).toBe(absent);
  });
});
