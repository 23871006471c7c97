/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  resolver: '<rootDir>/test/support/resolve.cjs',
  // Two builds of graphql in one process do not know each other's types.
  moduleNameMapper: { '^graphql$': '<rootDir>/node_modules/graphql/index.js' },
  maxWorkers: 2,
  testTimeout: 60_000,
  // Modules of finished files stay in memory; past this a worker makes room for a new one.
  workerIdleMemoryLimit: '1500MB',
};
