import type { TypedDocumentString } from '../generated/client.js';

/** Where to send operations, and as whom. */
export interface ClientOptions {
  /** The address of /graphql. */
  readonly url: string;
  /** An API key or access token; asked for before each operation, so that it may be renewed. */
  readonly credential?: () => string | Promise<string>;
  readonly fetch?: typeof fetch;
}

/** What the server says of a failed operation: the first error, and all of them. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: string;
  readonly requestId: string | null;
  readonly errors: readonly GraphqlError[];

  constructor(errors: readonly GraphqlError[]) {
    super(errors[0]?.message ?? 'The operation failed.');
    this.code = errors[0]?.extensions?.code ?? 'INTERNAL_SERVER_ERROR';
    this.requestId = errors[0]?.extensions?.requestId ?? null;
    this.errors = errors;
  }
}

export interface GraphqlError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string; readonly requestId?: string; readonly [more: string]: unknown };
}

/** Runs operations over HTTP, typed by their documents. Rejects with OperationError when the server reports any error. */
export interface Client {
  run<Result, Variables>(document: TypedDocumentString<Result, Variables>, variables: Variables): Promise<Result>;
}

export function canopyClient({ url, credential, fetch: send = fetch }: ClientOptions): Client {
  return {
    async run<Result, Variables>(
      document: TypedDocumentString<Result, Variables>,
      variables: Variables,
    ): Promise<Result> {
      const authorization = credential ? `Bearer ${await credential()}` : null;
      const response = await send(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json, application/json',
          ...(authorization && { authorization }),
        },
        body: JSON.stringify({ query: document.toString(), variables }),
      });
      // The server answers this form whatever the status is.
      const { data, errors } = (await response.json()) as { data?: Result | null; errors?: GraphqlError[] };
      if (errors || data == null) throw new OperationError(errors ?? []);
      return data;
    },
  };
}
