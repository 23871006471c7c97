import type { App } from '../../src/core/context.js';
import type { Query } from '../../src/platform/database/database.js';

/** How a statement is planned: for its values, or for any, as it is after a connection has run it a few times. */
export const planModes = ['force_custom_plan', 'force_generic_plan'] as const;
export type PlanMode = (typeof planModes)[number];

interface Line {
  readonly 'QUERY PLAN': string;
}

/** How the database goes about the statements that `run` asks for and `isMeant` picks: the lines of their plans, each run once more. */
export async function planOf(
  app: App,
  run: () => Promise<unknown>,
  isMeant: (text: string) => boolean,
  mode: PlanMode = 'force_custom_plan',
): Promise<string[]> {
  const { database } = app as { database: { query: typeof app.database.query } };
  const { query } = database;
  const asked: { text: string; values: readonly unknown[] }[] = [];
  database.query = (text, values) => {
    asked.push({ text, values });
    return query(text, values);
  };
  try {
    await run();
  } finally {
    database.query = query;
  }
  const meant = asked.filter((one) => isMeant(one.text));
  const plans = await app.database.transaction(
    async (ask) => {
      const lines: Line[] = [];
      for (const { text, values } of meant)
        lines.push(...(await explained<Line>(ask, mode, 'analyze, buffers, timing off', text, values)));
      return lines;
    },
    { snapshot: false },
  );
  return plans.map((line) => line['QUERY PLAN']);
}

/**
 * What `explain` says of a statement, within a transaction. It plans what it is given for the values at hand, whatever the mode; only of a prepared
 * statement it tells how that one runs.
 */
export async function explained<Row extends object>(
  ask: Query,
  mode: PlanMode,
  options: string,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  await ask(`set local plan_cache_mode = ${mode}`, []);
  await ask(`prepare meant as ${text}`, []);
  const given = values.length > 0 ? `(${values.map(literal).join()})` : '';
  const rows = await ask<Row>(`explain (${options}) execute meant${given}`, []);
  await ask('deallocate meant', []);
  return rows;
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  const text = Array.isArray(value) ? `{${value.map((one) => JSON.stringify(one)).join()}}` : `${value}`;
  return `'${text.replaceAll("'", "''")}'`;
}
