import { AppError } from '../../core/errors.js';
import { isObject } from '../../core/json.js';
import { assertJson, parseObject, readBody } from './body.js';
import { assertNotForged } from './csrf.js';
import type { Exchange } from './request.js';

/** The parameters of a GraphQL request, each of the right type. */
export interface Parameters {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Record<string, unknown> | undefined;
  readonly extensions: Record<string, unknown> | undefined;
}

/** What a GET asks by its address, any other request by its body; BAD_REQUEST for what is of the wrong form. */
export const parametersOf = (exchange: Exchange): Promise<Parameters> =>
  exchange.request.method === 'GET' ? fromSearch(exchange) : fromBody(exchange);

async function fromBody({ request }: Exchange): Promise<Parameters> {
  assertJson(request);
  return checked(parseObject(await readBody(request)));
}

async function fromSearch({ request, search }: Exchange): Promise<Parameters> {
  assertNotForged(request);
  const params = new URLSearchParams(search);
  const json = (name: string) => {
    const text = params.get(name);
    return text ? parseObject(text, name) : undefined;
  };
  return checked({
    query: params.get('query') ?? undefined,
    operationName: params.get('operationName') || undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

function checked({ query, operationName, variables, extensions }: Record<string, unknown>): Parameters {
  const fields = [
    ...(typeof query === 'string' && query.trim() !== ''
      ? []
      : [{ path: 'query', message: 'must be a document as text' }]),
    ...(operationName == null || typeof operationName === 'string'
      ? []
      : [{ path: 'operationName', message: 'must be text' }]),
    ...(variables == null || isObject(variables) ? [] : [{ path: 'variables', message: 'must be an object' }]),
    ...(extensions == null || isObject(extensions) ? [] : [{ path: 'extensions', message: 'must be an object' }]),
  ];
  if (fields.length > 0)
    throw new AppError('BAD_REQUEST', fields.map(({ path, message }) => `${path} ${message}`).join('; '), { fields });
  return {
    query: query as string,
    operationName: (operationName as string | null | undefined) ?? undefined,
    variables: (variables as Record<string, unknown> | null | undefined) ?? undefined,
    extensions: (extensions as Record<string, unknown> | null | undefined) ?? undefined,
  };
}
