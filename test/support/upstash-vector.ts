import { type LocalService, localService, Refused } from './local-service.js';

interface Stored {
  readonly id: string;
  readonly vector: readonly number[];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

interface Asked {
  readonly vector: readonly number[];
  readonly data?: string;
  readonly topK: number;
  readonly filter?: string;
}

export const vectorToken = 'vector-token';

/** Speaks as much of Upstash Vector's REST as we call: exact cosine, namespaces, filters by AND of =, >= and IN; `embed` makes it an index with a model. */
export async function upstashVector(
  dimension: number,
  embed?: (text: string) => readonly number[],
): Promise<LocalService> {
  const spaces = new Map<string, Map<string, Stored>>();
  const held = (name: string) => spaces.get(name) ?? new Map<string, Stored>();

  function withVector<T extends { readonly vector?: readonly number[]; readonly data?: string }>(item: T) {
    const vector = item.vector ?? (item.data === undefined ? undefined : embed?.(item.data));
    if (!vector) throw new Refused(422, 'The index must be created with an embedding model to take data.');
    if (vector.length !== dimension)
      throw new Refused(422, `Invalid vector dimension: ${vector.length}, expected: ${dimension}`);
    return { ...item, vector };
  }

  function upsert(name: string, items: readonly Stored[]) {
    const space = held(name);
    spaces.set(name, space);
    for (const item of items) space.set(item.id, withVector(item));
    return 'Success';
  }

  function query(name: string, asked: Asked) {
    const { vector } = withVector(asked);
    const passes = filterOf(asked.filter);
    return [...held(name).values()]
      .filter(({ metadata = {} }) => passes(metadata))
      .map(({ id, metadata, vector: own }) => ({ id, metadata, score: (1 + cosine(vector, own)) / 2 }))
      .sort((a, b) => b.score - a.score)
      .slice(0, asked.topK);
  }

  function remove(name: string, { ids, prefix, filter }: { ids?: string[]; prefix?: string; filter?: string }) {
    const space = held(name);
    const passes = filterOf(filter);
    const doomed = [...space.values()].filter(({ id, metadata = {} }) =>
      ids ? ids.includes(id) : prefix === undefined ? passes(metadata) : id.startsWith(prefix),
    );
    for (const { id } of doomed) space.delete(id);
    return { deleted: doomed.length };
  }

  const info = () => ({
    vectorCount: [...spaces.values()].reduce((sum, { size }) => sum + size, 0),
    pendingVectorCount: 0,
    indexSize: 0,
    dimension,
    similarityFunction: 'COSINE',
    namespaces: Object.fromEntries(
      [...spaces].map(([name, { size }]) => [name, { vectorCount: size, pendingVectorCount: 0 }]),
    ),
  });

  return localService(vectorToken, (path, body) => {
    const [, command, name = ''] = path.split('/');
    const many = <T>() => (Array.isArray(body) ? body : [body]) as T[];
    if (command === 'upsert' || command === 'upsert-data') return { result: upsert(name, many<Stored>()) };
    if (command === 'query' || command === 'query-data') return { result: query(name, body as Asked) };
    if (command === 'delete') return { result: remove(name, body as object) };
    if (command === 'fetch') return { result: (body as { ids: string[] }).ids.map((id) => held(name).get(id) ?? null) };
    if (command === 'info') return { result: info() };
    if (command === 'list-namespaces') return { result: [...spaces.keys()] };
    if (command === 'delete-namespace') {
      if (!spaces.delete(name)) throw new Refused(404, `Namespace ${name} for the index does not exist`);
      return { result: 'Success' };
    }
    throw new Refused(404, `Unknown endpoint ${command}`);
  });
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, at) => sum + value * (y[at] ?? 0), 0);
  return dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1);
}

function filterOf(filter: string | undefined): (metadata: Readonly<Record<string, unknown>>) => boolean {
  if (!filter) return () => true;
  const rules = filter.split(' AND ').map((part) => {
    const [, field = '', operator = '', rest = ''] = /^(\w+) (=|>=|IN) (.*)$/.exec(part) ?? [];
    const values = [...rest.matchAll(/'((?:[^'\\]|\\.)*)'|(\d+)/g)].map(([, text, number]) =>
      number === undefined ? text?.replace(/\\(.)/g, '$1') : Number(number),
    );
    if (values.length === 0) throw new Refused(400, `Invalid filter: ${part}`);
    return (metadata: Readonly<Record<string, unknown>>) =>
      operator === '>=' ? Number(metadata[field]) >= Number(values[0]) : values.includes(metadata[field] as string);
  });
  return (metadata) => rules.every((rule) => rule(metadata));
}
