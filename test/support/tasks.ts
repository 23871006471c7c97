import type { Answer, Person, World } from './world.js';

const fields = `id type title status progress parameters result resultLocation error { code message } attempt maxAttempts priority runAt dueAt concurrencyKey
  leaseExpiresAt startedAt finishedAt version owner { id } assignee { id }`;
const mutation = (name: string, more = '') =>
  `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { task { ${fields} } ${more} eventCursor } }`;

const documents = {
  create: mutation('createTask'),
  update: mutation('updateTask'),
  cancel: mutation('cancelTask'),
  retry: mutation('retryTask'),
  claim: mutation('claimTask', 'leaseToken'),
  report: mutation('reportTaskProgress'),
  complete: mutation('completeTask'),
  fail: mutation('failTask'),
} as const;

const read = `query ($id: ID!) { task(id: $id) { ${fields} } }`;
const history = `query ($id: ID!, $first: Int, $after: String) { task(id: $id) { events(first: $first, after: $after) { totalCount
  nodes { seq kind status progress attempt payload cursor } pageInfo { hasNextPage endCursor } } } }`;

/** A task as an operation answers it. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
export type TaskAnswer = any;

/** What someone can do with the tasks of a space. Each answers the whole answer; `made` and `task` throw when they are refused. */
export function tasksOf(person: Person, spaceId: string) {
  const ask = (name: keyof typeof documents, input: object): Promise<Answer> => person.run(documents[name], { input });
  const done = async (name: keyof typeof documents, input: object): Promise<TaskAnswer> => {
    const { data, errors } = await ask(name, input);
    if (!data) throw new Error(JSON.stringify(errors));
    return Object.values<TaskAnswer>(data)[0];
  };
  return {
    create: (input: object = {}) => ask('create', { spaceId, ...input }),
    update: (input: object) => ask('update', input),
    cancel: (id: string) => ask('cancel', { id }),
    retry: (id: string) => ask('retry', { id }),
    claim: (types: readonly string[], more: object = {}) => ask('claim', { spaceId, types, ...more }),
    report: (input: object) => ask('report', input),
    complete: (input: object) => ask('complete', input),
    fail: (input: object) => ask('fail', input),
    made: async (input: object = {}): Promise<TaskAnswer> => (await done('create', { spaceId, ...input })).task,
    moved: async (id: string, version: number, status: string): Promise<TaskAnswer> =>
      (await done('update', { id, version, status })).task,
    claimed: (types: readonly string[], more: object = {}): Promise<TaskAnswer> =>
      done('claim', { spaceId, types, ...more }),
    async task(id: string): Promise<TaskAnswer> {
      return (await person.run(read, { id })).data.task;
    },
    async events(id: string): Promise<readonly TaskAnswer[]> {
      const all: TaskAnswer[] = [];
      for (let after: string | null = null; ; ) {
        const { nodes, pageInfo }: TaskAnswer = (await person.run(history, { id, first: 100, after })).data.task.events;
        all.push(...nodes);
        if (!pageInfo.hasNextPage) return all;
        after = pageInfo.endCursor;
      }
    },
    /** The statuses that it went through. */
    async statuses(id: string): Promise<string[]> {
      return (await this.events(id)).filter(({ kind }) => kind === 'STATUS').map(({ status }) => status);
    },
  };
}

export type Tasks = ReturnType<typeof tasksOf>;

const chunk = 5_000;

/** Gives the database nodes of a tree directly, for a task that goes through them to have something to do. */
export async function plantNodes({ app }: World, spaceId: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += chunk)
    await app.database.query(
      `insert into "TreeNode" (id, "spaceId", path, "parentPath", name, depth, value, "contentType", checksum, "sizeBytes")
       select 'node_' || $1 || name, $1, '/many/' || name, '/many', name, 2, '{"a":1}', 'application/json', encode(sha256('{"a":1}'), 'hex'), 7
       from generate_series($2::int, $3::int) i, lateral (select lpad(i::text, 7, '0') as name) n`,
      [spaceId, from + 1, Math.min(from + chunk, count)],
    );
}
