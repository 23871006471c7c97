/** Tells every process that the event log has grown. The log is the truth: a wake-up that is lost costs latency, not events. */
export interface Wakeups {
  /** Wakes all listeners of all processes, soon and at most once in a few milliseconds. Never rejects and never throws. */
  wake(): void;
  /** Calls `heard` after each wake-up, and once after each time the connection was lost and came back. Resolves once it listens. */
  listen(heard: () => void): Promise<void>;
  close(): Promise<void>;
}
