import type { App } from '../../src/core/context.js';

/** Counts the deadlocks that the database ends in transactions of the App, also those after which a change is simply tried again. */
export function deadlocksOf(app: App): { readonly count: number } {
  const { database } = app as { database: { transaction: typeof app.database.transaction } };
  const { transaction } = database;
  let count = 0;
  database.transaction = async (work, options) => {
    try {
      return await transaction(work, options);
    } catch (error) {
      if ((error as { code?: unknown }).code === '40P01') count += 1;
      throw error;
    }
  };
  return {
    get count() {
      return count;
    },
  };
}
