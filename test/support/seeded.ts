/** Chances that fall the same way each time, for inputs that nobody thought of. */
export function seeded(seed: number) {
  let state = seed >>> 0;
  /** From 0 up to, not including, 1. */
  const chance = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  /** A whole number from 0 to `most`. */
  const upTo = (most: number): number => Math.floor(chance() * (most + 1));
  return {
    chance,
    upTo,
    pick<T>(from: readonly T[]): T {
      const found = from[upTo(from.length - 1)];
      if (found === undefined) throw new Error('There is nothing to pick from.');
      return found;
    },
  };
}
