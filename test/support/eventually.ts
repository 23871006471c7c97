import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until an expectation holds, fifteen seconds at most: an event is given out once every transaction that began
 * before it has ended, those of other databases of the same server included.
 */
export async function eventually(holds: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await holds();
    } catch (error) {
      if (attempt === 300) throw error;
      await sleep(50);
    }
  }
}
