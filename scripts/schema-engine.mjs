#!/usr/bin/env node
/**
 * The schema engine that `prisma migrate` starts. Prisma's own is a binary fetched after install; this one runs the same
 * engine from its WebAssembly package and reaches Postgres through `pg`, so nothing is downloaded.
 * It speaks JSON-RPC on stdin and stdout, one message a line.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';

const CATALOG_CHAR = 18;
const TEXT = 25;

const { values: options, positionals } = parseArgs({
  strict: false,
  allowPositionals: true,
  options: {
    datasource: { type: 'string' },
    datamodels: { type: 'string', multiple: true },
    version: { type: 'boolean' },
    'enabled-preview-features': { type: 'string' },
    'extension-types': { type: 'string' },
  },
});
const datasource = options.datasource ? JSON.parse(options.datasource) : {};

const wasm = await loadEngine();
if (options.version) {
  process.stdout.write(`schema-engine-cli ${wasm.version()}\n`);
} else if (positionals[0] === 'cli') {
  await checkConnection();
} else {
  serve();
}

async function loadEngine() {
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => process.stderr.write(`${message}\n`) };
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const path = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const module = new WebAssembly.Module(readFileSync(path.replace(/\.js$/, '.wasm')));
  const { exports } = await WebAssembly.instantiate(module, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
  return glue;
}

/** A connection for schema work: three corrections to an adapter that was written for queries. */
async function connect(url, afterwards = async () => {}) {
  if (!url)
    throw new Error('This command needs a Postgres server: set DATABASE_URL, or use `npm run migration -- <name>`.');
  const schema = new URL(url).searchParams.get('schema') ?? undefined;
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  const adapter = await new PrismaPg(pool, { schema, disposeExternalPool: true }).connect();
  const queryRaw = Object.getPrototypeOf(Object.getPrototypeOf(adapter)).queryRaw;

  // The adapter refuses the catalog's one-byte "char"; the engine reads such columns as characters.
  adapter.queryRaw = async (query) => {
    const characters = [];
    const reader = Object.create(adapter);
    reader.performIO = async (sent) => {
      const result = await adapter.performIO(sent);
      result.fields.forEach((field, index) => {
        if (field.dataTypeID !== CATALOG_CHAR) return;
        characters.push(index);
        field.dataTypeID = TEXT;
      });
      return result;
    };
    const answer = await queryRaw.call(reader, query);
    for (const index of characters) answer.columnTypes[index] = ColumnTypeEnum.Character;
    return answer;
  };

  // The adapter splits a script at every semicolon, also inside a function body; Postgres splits it right.
  adapter.executeScript = (script) =>
    pool.query(script).then(
      () => undefined,
      (error) => adapter.onError(error),
    );

  const dispose = adapter.dispose.bind(adapter);
  adapter.dispose = async () => {
    await dispose();
    await afterwards();
  };
  return adapter;
}

/** The adapter's own shadow connection may lead to the main database, which the engine then empties. */
async function connectToShadow() {
  if (datasource.shadowDatabaseUrl) return connect(datasource.shadowDatabaseUrl);
  const name = `prisma_migrate_shadow_db_${randomUUID()}`;
  const owner = new pg.Client({ connectionString: datasource.url });
  await owner.connect();
  await owner.query(`create database "${name}"`);
  const url = new URL(datasource.url);
  url.pathname = `/${name}`;
  return connect(url.toString(), async () => {
    await owner.query(`drop database if exists "${name}" with (force)`);
    await owner.end();
  });
}

/** `cli can-connect-to-database`: the exit code is the answer. */
async function checkConnection() {
  const client = new pg.Client({ connectionString: datasource.url });
  try {
    await client.connect();
    await client.end();
  } catch (error) {
    const fields = { error_code: 'P1001', message: error.message };
    process.stderr.write(`\n${JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields })}\n`);
    process.exitCode = 1;
  }
}

function serve() {
  const adapter = bindMigrationAwareSqlAdapterFactory({
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => connect(datasource.url),
    connectToShadowDb: connectToShadow,
  });
  const datamodels = options.datamodels?.map((file) => [file, readFileSync(file, 'utf8')]);
  let engine;
  let prints = 0;
  const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

  const call = async (method, params) => {
    engine ??= await wasm.SchemaEngine.new({ datamodels }, () => {}, adapter);
    const result = await engine[method === 'getDatabaseVersion' ? 'version' : method](params);
    // The binary prints a diff by calling the client back; ids above any of the client's own.
    if (method !== 'diff' || !result?.stdout) return result ?? {};
    prints += 1;
    send({ id: 1_000_000 + prints, method: 'print', params: { content: result.stdout } });
    return { ...result, stdout: null };
  };

  const answer = async ({ id, method, params }) => {
    if (method === undefined) return;
    try {
      send({ id, result: await call(method, params) });
    } catch (error) {
      const message = 'An error happened. Check the data field for details.';
      send({ id, error: { code: 4466, message, data: explain(error, adapter) } });
    }
  };

  let last = Promise.resolve();
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      last = last.then(() => answer(JSON.parse(line)));
    })
    .on('close', () => last.then(() => process.exit(0)));
}

/** What went wrong in the adapter is kept there under a number; the engine's error carries only the number. */
function explain(error, adapter) {
  const reference = /External error id#(\d+)/.exec(error?.message)?.[1] ?? error?.meta?.full_error_id;
  const kept = reference === undefined ? undefined : adapter.errorRegistry?.consumeError?.(Number(reference));
  const cause = kept?.error ?? kept ?? error;
  const message = String(cause?.message ?? cause);
  return { is_panic: false, message, meta: error?.meta ?? null, error_code: error?.code ?? null };
}
