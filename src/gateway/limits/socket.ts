/** What one client may take of the sockets, and how patient they are. */
export interface SocketLimits {
  /** Open at a time, for each user, API key or, of those who are neither, address. */
  readonly connections: number;
  /** Open at a time on one connection. */
  readonly subscriptions: number;
  /** Of one message. */
  readonly messageBytes: number;
  readonly messagesPerSecond: number;
  /** How long a client may take to say who it is. */
  readonly initMs: number;
  /** How often a peer is asked whether it is there; one that has not answered by the next time is cut off. */
  readonly pingMs: number;
}

export const usualSocketLimits: SocketLimits = {
  connections: 20,
  subscriptions: 100,
  messageBytes: 1024 * 1024,
  messagesPerSecond: 50,
  initMs: 3_000,
  pingMs: 12_000,
};
