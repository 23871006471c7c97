import { setTimeout as sleep } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import { type AppOptions, startApp } from '../../src/app.js';
import type { App, Viewer } from '../../src/core/context.js';
import { newId } from '../../src/core/ids.js';
import { contextFor } from '../../src/core/operation.js';
import { documents, operationOf } from '../../src/gateway/documents.js';
import { run } from '../../src/gateway/execution/run.js';
import { subscribe } from '../../src/gateway/execution/subscribe.js';
import { formatError } from '../../src/gateway/format-error.js';
import { stringify } from '../../src/gateway/http/stringify.js';
import { localSchema, readSdl } from '../../src/gateway/schema.js';
import type { OrganizationRole, SpaceRole } from '../../src/generated/graphql.js';
import { addFromLog } from '../../src/jobs/log-reader.js';
import { runDueJobs } from '../../src/jobs/worker.js';
import { jsonLog } from '../../src/platform/log.js';
import { blobsOf, freshDatabase } from './database.js';

export const sdl = readSdl(new URL('../../schema/', import.meta.url));
export const schema = localSchema(sdl);
const prepared = documents(schema);

/** What an operation answered, and what the first error says of itself. */
export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
  readonly data: any;
  readonly code: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly errors: readonly any[];
  /** Every statement that it took, transactions included; what the process does in the background is left out. */
  readonly sql: readonly string[];
}

export type World = Awaited<ReturnType<typeof world>>;
export type Person = ReturnType<World['client']>;

const background =
  /^(listen|select pg_notify|with viewed as)|from "Event" where \(txid|insert into "AuditEvent"\s+\(at.*from json_to_recordset\(\$1::json\) as a/s;

/** A space of an organization with someone of each role, people outside it, and a database of its own. */
export async function world(
  options: Partial<Pick<AppOptions, 'now' | 'blobs' | 'vectors' | 'embeddings' | 'assistant'>> = {},
) {
  const database = await freshDatabase();
  const sql: string[] = [];
  const lines: string[] = [];
  const { app, close } = await startApp({
    databaseUrl: database.url,
    blobs: { directory: blobsOf(database.url) },
    databasePool: 20,
    publicUrl: 'http://localhost:4000',
    authSecret: 'a secret for tests only, 32 characters',
    trustedOrigins: [],
    oidcIssuers: [],
    log: jsonLog('warn', (line) => lines.push(line)),
    observe: (text) => {
      if (!background.test(text)) sql.push(text);
    },
    ...options,
  });
  const { prisma } = app.database;

  function client(viewer: Viewer | null) {
    return {
      id: viewer?.userId ?? '',
      viewer,
      run: (query: string, variables: Record<string, unknown> = {}) => runAs(app, viewer, query, variables, sql),
      hear: (query: string, variables: Record<string, unknown> = {}) => hearAs(app, viewer, query, variables),
    };
  }

  async function person(name: string) {
    const handle = `${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${Math.random().toString(36).slice(2, 8)}`;
    const { id } = await prisma.user.create({
      data: { id: newId('user'), name, handle, email: `${handle}@example.com`, profile: { create: {} } },
    });
    return client(viewerOf(id));
  }

  async function member(
    name: string,
    spaceId: string,
    role: SpaceRole,
    organization?: { id: string; role: OrganizationRole },
  ) {
    const one = await person(name);
    await prisma.spaceMember.create({ data: { userId: one.id, spaceId, role } });
    if (organization)
      await prisma.organizationMember.create({
        data: { userId: one.id, organizationId: organization.id, role: organization.role },
      });
    app.memory.forgetAll();
    return one;
  }

  const organization = await prisma.organization.create({
    data: { id: newId('org'), slug: `garden-${newId('org').slice(-8)}`, name: 'Garden' },
  });
  const space = await prisma.space.create({
    data: { id: newId('space'), organizationId: organization.id, slug: 'beds', name: 'Beds' },
  });
  const otherSpace = await prisma.space.create({
    data: { id: newId('space'), organizationId: organization.id, slug: 'shed', name: 'Shed' },
  });

  return {
    app,
    space,
    otherSpace,
    organization,
    owner: await member('Olga', space.id, 'OWNER', { id: organization.id, role: 'OWNER' }),
    admin: await member('Adam', space.id, 'ADMIN', { id: organization.id, role: 'MEMBER' }),
    editor: await member('Edda', space.id, 'EDITOR', { id: organization.id, role: 'MEMBER' }),
    commenter: await member('Cora', space.id, 'COMMENTER', { id: organization.id, role: 'MEMBER' }),
    viewer: await member('Vera', space.id, 'VIEWER', { id: organization.id, role: 'MEMBER' }),
    /** Has a role in the space and none in the organization. */
    guest: await member('Gus', space.id, 'VIEWER'),
    stranger: await person('Stan'),
    nobody: client(null),
    client,
    person,
    member,
    /** Does the jobs that are due, and what they add, until none is left. */
    async runJobs(other: App = app) {
      // Events of a moment ago may stand behind a transaction of another test.
      while (!(await addFromLog(other))) await sleep(20);
      await runDueJobs(other);
    },
    /** Lines of the log, warnings and errors. */
    lines,
    /** Every statement so far; what the process does in the background is left out. */
    statements: sql as readonly string[],
    databaseUrl: database.url,
    close: async () => {
      await close();
      await database.drop();
    },
  };
}

/** A user who signed in, without limits of scope or space. */
export function viewerOf(userId: string, limits: Partial<Viewer> = {}): Viewer {
  return {
    userId,
    apiKeyId: null,
    organizationId: null,
    sessionId: null,
    scopes: null,
    spaceIds: null,
    expiresAt: null,
    ...limits,
  };
}

let requests = 0;
const requestInfo = () => ({ requestId: `test-${(requests += 1)}`, ip: '127.0.0.1' });

async function runAs(
  app: App,
  viewer: Viewer | null,
  query: string,
  variables: Record<string, unknown>,
  sql: string[],
): Promise<Answer> {
  const ctx = contextFor(app, viewer, requestInfo());
  const shown = (errors: readonly GraphQLError[]) =>
    errors.map((error) => formatError(error, ctx.request.requestId, app.log));
  const found = prepared.prepare(query, true);
  if ('errors' in found) return answer(null, shown(found.errors), []);
  const operation = operationOf(found.document, null);
  if (operation instanceof GraphQLError) return answer(null, shown([operation]), []);
  const from = sql.length;
  const { data, errors = [] } = await run(schema, { document: found.document, operation, variables, ctx });
  return answer(JSON.parse(stringify(data ?? null)), shown(errors), sql.slice(from));
}

function answer(
  data: unknown,
  errors: readonly { extensions?: Record<string, unknown> }[],
  sql: readonly string[],
): Answer {
  return { data, errors, code: (errors[0]?.extensions?.['code'] as string | undefined) ?? null, sql };
}

const patienceMs = 5_000;

async function hearAs(app: App, viewer: Viewer | null, query: string, variables: Record<string, unknown>) {
  const ctx = contextFor(app, viewer, requestInfo());
  const found = prepared.prepare(query, true);
  if ('errors' in found) throw found.errors[0];
  const operation = operationOf(found.document, null);
  if (operation instanceof GraphQLError) throw operation;
  const stream = await subscribe(schema, { document: found.document, operation, variables, ctx });
  if (!(Symbol.asyncIterator in stream)) throw stream.errors?.[0]?.originalError ?? stream.errors?.[0];
  return {
    /** The data of the next delivery; rejects when none comes in five seconds or the stream ends. */
    // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of any form.
    async next(): Promise<any> {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('Nothing was delivered.')), patienceMs);
      });
      const result = await Promise.race([stream.next(), late]).finally(() => clearTimeout(timer));
      if (result.done) throw new Error('The stream has ended.');
      if (result.value.errors) throw result.value.errors[0]?.originalError ?? result.value.errors[0];
      return JSON.parse(JSON.stringify(result.value.data));
    },
    /** Unsubscribes while the stream waits, as clients do. */
    async stop() {
      const waiting = stream.next();
      await stream.return?.();
      // What was on its way may still arrive; nothing may follow it.
      if (!(await waiting).done && !(await stream.next()).done)
        throw new Error('The stream went on after it was stopped.');
    },
  };
}
