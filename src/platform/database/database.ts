import type { PrismaClient } from '../../generated/prisma/client.js';

/** A JSON value as the text that it is stored as: most are sent on without a look inside. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The value, for whoever does look inside. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/** Runs one statement, prepared once per connection, and answers its rows. */
export type Query = <Row extends object>(text: string, values: readonly unknown[]) => Promise<Row[]>;

/** The database as core sees it. */
export interface Database {
  /**
   * Runs one statement, prepared once per connection, and answers its rows. Rejects within 3 s when no connection is to be had,
   * and after 5 s of running. Columns of type json come as JsonText (jsonb is parsed), within a transaction as the value itself.
   */
  query<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]>;
  /**
   * Runs `work` in one transaction on one connection: commits when it resolves, rolls back when it rejects. A rejection of the commit itself leaves
   * open what became of it. With `snapshot` all reads see one moment (repeatable read).
   */
  transaction<T>(work: (query: Query) => Promise<T>, options: { readonly snapshot: boolean }): Promise<T>;
  /** Prisma's client for reads that are neither hot nor regular; unrestricted. */
  readonly prisma: PrismaClient;
  /** Waits for running statements, then closes every connection. */
  close(): Promise<void>;
}
