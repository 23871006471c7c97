import type { App } from '../../src/core/context.js';

/** How the database goes about the statements that `run` asks for and `isMeant` picks: the lines of their plans, each run once more. */
export async function planOf(
  app: App,
  run: () => Promise<unknown>,
  isMeant: (text: string) => boolean,
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
  const lines: string[] = [];
  for (const { text, values } of asked.filter((one) => isMeant(one.text))) {
    const plan = await query<{ 'QUERY PLAN': string }>(`explain (analyze, timing off) ${text}`, values);
    lines.push(...plan.map((line) => line['QUERY PLAN']));
  }
  return lines;
}
