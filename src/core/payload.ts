import type { Written } from './write.js';

/** What a mutation answers: the fields that are made of what was written, and where in the event log a follower goes on. */
export async function payload<Writing extends Written<unknown>, Fields extends object>(
  writing: Promise<Writing>,
  fields: (value: Writing['value'], written: Writing) => Fields,
): Promise<Fields & Pick<Writing, 'eventCursor'>> {
  const written = await writing;
  return { ...fields(written.value, written), eventCursor: written.eventCursor };
}
