// What the bundler provides and TypeScript cannot see.
declare module '*.css';

/** Where the bundle put each Monaco worker. */
declare const workerUrls: { readonly editor: string; readonly json: string; readonly graphql: string };
