import type { Log } from '../log.js';
import { relay } from './relay.js';
import type { Wakeups } from './wakeups.js';

/** Wake-ups within this process; others find what it wrote by their slow poll. */
export function processWakeups(log: Log): Wakeups {
  const nobody = { lost: new Promise<never>(() => {}), hangUp() {} };
  return relay({ listen: async () => nobody, async send() {} }, log);
}
