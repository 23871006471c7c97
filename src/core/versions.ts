import { type AppError, notFound, staleVersion } from './errors.js';
import type { KeyedShape } from './shape.js';
import { notGoneSql, sqlText } from './sql.js';
import type { Tx } from './transaction.js';

/** Why an update by id and version changed nothing: CONFLICT when the row has moved on, NOT_FOUND when it is gone. */
export async function unchanged<Row extends object>(tx: Tx, shape: KeyedShape<Row>, id: string): Promise<AppError> {
  const table = sqlText(`"${shape.model}" t`);
  const there = sqlText(notGoneSql(shape) || 'true');
  const [found] = await tx.sql<{ version: number }>`select t.version from ${table} where t.id = ${id} and ${there}`;
  return found ? staleVersion(`The ${inWords(shape.model)}`, found.version) : notFound();
}

const inWords = (model: string) => model.replace(/(?<!^)[A-Z]/g, ' $&').toLowerCase();
