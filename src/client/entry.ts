/** All of the package's `./client`: operations over HTTP, live data, and the documents that type both. */
export * from '../generated/client.js';
export { type Client, type ClientOptions, canopyClient, type GraphqlError, OperationError } from './client.js';
export type { Credential } from './credential.js';
export { type ConnectionState, type LiveClient, type LiveOptions, liveClient } from './live.js';
export { Disconnection } from './transport.js';
export { fromUIMessage, toUIMessage, toUIMessages } from './ui-message.js';
