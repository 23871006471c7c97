import { tsImport } from 'tsx/esm/api';

// Jest loads this file without its transforms.
const { startPostgres } = await tsImport('./postgres.ts', import.meta.url);

export default async function setUp() {
  globalThis.stopPostgres = await startPostgres();
}
