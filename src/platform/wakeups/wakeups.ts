/** Tells every process that something can be read. What is written is the truth: a wake-up that is lost costs latency, nothing else. */
export interface Wakeups {
  /**
   * Wakes all listeners of all processes, soon and at most once in a few milliseconds for a topic: for the event log when none is given. A topic is
   * an id: letters, digits and _. Never rejects and never throws.
   */
  wake(topic?: string): void;
  /**
   * Calls `heard` after each wake-up with its topic, and with null (anything may have happened) each time it begins to listen to other processes, at
   * first and after the connection was lost. Resolves once it listens, or once that has failed: then it goes on trying. Never rejects.
   */
  listen(heard: (topic: string | null) => void): Promise<void>;
  /** Whether other processes can be heard now. */
  readonly connected: boolean;
  close(): Promise<void>;
}

/** The topic of the event log. */
export const eventLog = '';
