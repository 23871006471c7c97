import { createHash } from 'node:crypto';

/** What a prepared statement is called; one without a name is parsed each time, and kept nowhere. */
type Name = { readonly name?: string };

const unnamed: Name = {};

/** How many statements are named at most, and how much text they have in all: of each, every connection's server keeps some hundred times as much. */
export interface NameLimits {
  readonly statements: number;
  readonly characters: number;
}

/**
 * Names statements by their text, within limits: client and server keep a named statement for as long as their connection lives, and clients
 * of ours choose columns and lists, so how many texts there are. After `renewMs` a full set makes room for the texts of then.
 */
export function statementNames(
  { statements, characters }: NameLimits,
  renewMs: number,
  now: () => number = performance.now.bind(performance),
) {
  const names = new Map<string, Name>();
  let used = 0;
  let renewAt = now() + renewMs;
  return (text: string): Name => {
    const known = names.get(text);
    if (known) return known;
    if (text.length > characters) return unnamed;
    if (names.size >= statements || used + text.length > characters) {
      if (now() < renewAt) return unnamed;
      names.clear();
      used = 0;
      renewAt = now() + renewMs;
    }
    const name = { name: createHash('sha256').update(text).digest('base64url').slice(0, 20) };
    names.set(text, name);
    used += text.length;
    return name;
  };
}
