import { createHash } from 'node:crypto';

/** What a prepared statement is called; one without a name is parsed each time, and kept nowhere. */
type Name = { readonly name?: string };

const unnamed: Name = {};

/**
 * Names statements by their text, at most `max` of them: client and server keep a named statement for as long as their connection lives, and clients
 * of ours choose columns, so how many texts there are. After `renewMs` a full set makes room for the texts of then.
 */
export function statementNames(max: number, renewMs: number, now: () => number = performance.now.bind(performance)) {
  const names = new Map<string, Name>();
  let renewAt = now() + renewMs;
  return (text: string): Name => {
    const known = names.get(text);
    if (known) return known;
    if (names.size >= max) {
      if (now() < renewAt) return unnamed;
      names.clear();
      renewAt = now() + renewMs;
    }
    const name = { name: createHash('sha256').update(text).digest('base64url').slice(0, 20) };
    names.set(text, name);
    return name;
  };
}
