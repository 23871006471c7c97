/** Tells every process that something can be read. What is written is the truth: a wake-up that is lost costs latency, nothing else. */
export interface Wakeups {
  /**
   * Wakes all listeners of all processes, soon and at most once in a few milliseconds for a topic: for the event log when none is given.
   * Never rejects and never throws.
   */
  wake(topic?: string): void;
  /**
   * Calls `heard` after each wake-up with its topic, and once with null (anything may have happened) after each time the connection was lost and
   * came back. Resolves once it listens.
   */
  listen(heard: (topic: string | null) => void): Promise<void>;
  close(): Promise<void>;
}

/** The topic of the event log. */
export const eventLog = '';
