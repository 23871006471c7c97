import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { App } from '../../core/context.js';
import { AppError } from '../../core/errors.js';
import { contextFor } from '../../core/operation.js';
import type { ErrorCode } from '../../generated/graphql.js';
import { type Documents, operationOf } from '../documents.js';
import { run } from '../execution/run.js';
import { formatError, statusOf } from '../format-error.js';
import { assertJson, parseObject, readBody } from './body.js';
import { type Exchange, sendJson } from './request.js';

/** Each route of the façade is one document over the same graph; the answer's `data` is the field that it selects. */
interface Route {
  readonly field: string;
  readonly document: string;
  /** Whether the body is the `input` of a mutation; else it has the variables. */
  readonly input: boolean;
}

const routes: Readonly<Record<string, Route>> = {
  read: {
    field: 'treeNode',
    input: false,
    document: `query DataRead($spaceId: ID!, $path: TreePath!, $default: JSON, $asOf: DateTime) {
      treeNode(spaceId: $spaceId, path: $path, default: $default, asOf: $asOf) { path exists isDefault value version }
    }`,
  },
  readTree: {
    field: 'tree',
    input: false,
    document: `query DataReadTree($spaceId: ID!, $pathPrefix: TreePath! = "/", $depth: Int, $first: Int = 1000, $after: String) {
      tree(spaceId: $spaceId, pathPrefix: $pathPrefix, depth: $depth, first: $first, after: $after) {
        nodes { path value version contentType checksum createdAt updatedAt } pageInfo { hasNextPage endCursor }
      }
    }`,
  },
  write: {
    field: 'writeTreeNode',
    input: true,
    document: `mutation DataWrite($input: WriteTreeNodeInput!) {
      writeTreeNode(input: $input) { treeNode { id path value version contentType checksum createdAt updatedAt } eventCursor }
    }`,
  },
  batch: {
    field: 'batchTree',
    input: true,
    document: `mutation DataBatch($input: BatchTreeInput!) {
      batchTree(input: $input) { results { status path exists value version deletedCount nodes { path value version } } eventCursor }
    }`,
  },
};

/** Answers POST /api/data/{read,write,readTree,batch} with `{ data, timestamp }`; an error answers `{ errors, timestamp }` with the status that fits. */
export async function answerData(
  app: App,
  schema: GraphQLSchema,
  documents: Documents,
  exchange: Exchange,
): Promise<void> {
  const { request, response, requestId } = exchange;
  const name = exchange.path.slice('/api/data/'.length);
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (!route) throw new AppError('NOT_FOUND', 'No such route.');
  if (request.method !== 'POST') {
    response.setHeader('allow', 'POST');
    throw new AppError('METHOD_NOT_ALLOWED', 'Send a POST.');
  }
  exchange.operation = `data.${route.field}`;
  assertJson(request);
  const body = parseObject(await readBody(request));
  const timestamp = app.now().toISOString();
  const refused = (message: string, extensions: GraphQLFormattedError['extensions']) => {
    const code = extensions?.['code'] as ErrorCode;
    exchange.code = code;
    sendJson(response, code === 'BAD_USER_INPUT' ? 422 : statusOf(code), {
      errors: [{ message, extensions }],
      timestamp,
    });
  };
  const fields = unknownFields(route, body);
  if (fields.length > 0) return refused('Some fields are not known.', { code: 'BAD_USER_INPUT', fields, requestId });
  const prepared = documents.prepare(route.document, false);
  if ('errors' in prepared)
    throw new Error(`The document of ${exchange.path} does not fit the schema.`, { cause: prepared.errors[0] });
  const operation = operationOf(prepared.document, null);
  if (operation instanceof Error) throw operation;
  const ctx = contextFor(app, exchange.viewer, { requestId, ip: exchange.ip });
  const { data, errors } = await run(schema, {
    document: prepared.document,
    operation,
    variables: route.input ? { input: body } : body,
    ctx,
  });
  if (!errors || errors.length === 0 || !errors[0])
    return sendJson(response, 200, { data: data?.[route.field], timestamp });
  const { message, extensions } = formatError(errors[0], requestId, app.log);
  refused(message, extensions);
}

/** Names that are no variable of a query: to answer as if they were not there would hide a mistake. */
function unknownFields({ document, input }: Route, body: object): { path: string; message: string }[] {
  if (input) return [];
  const unknown = Object.keys(body).filter((name) => !document.includes(`$${name}:`));
  return unknown.map((path) => ({ path, message: 'is not known here' }));
}
