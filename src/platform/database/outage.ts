/** SQLSTATEs and Prisma's codes that say that the database cannot be reached, or takes nobody in. */
const unreachable = /^(57P0[1-5]|53[1-4]00|08\w{3}|P1001|P1002|P1008|P1017|P2024|P2028)$/;
const unreachableKinds = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections']);
const unreachableWords =
  /timeout exceeded when trying to connect|timeout expired|Connection terminated|Client has encountered a connection error|Cannot use a pool after calling end|not queryable/;
/** What a connection to a network says; the same codes about files, and about clients that went away, are not the database's. */
const lostConnection = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);
const networkCalls = new Set(['connect', 'read', 'write', 'getaddrinfo']);
/** The statement ran into its own bound, or the server has said nothing for longer than that. */
const slow = /^Query read timeout$/;
/** Values that are none of the type they are for: text that no column can hold, what is no number or time, or lies beyond any. */
const unstorable = new Set(['22021', '22P05', '22P02', '22007', '22008', '22003']);

/** What an error says of the database: it is down, it took too long, it cannot store that text, or none of it. Looks through causes, Prisma's wrapping included. */
export function outage(error: unknown, depth = 0): 'down' | 'slow' | 'text' | null {
  if (typeof error !== 'object' || error === null || depth > 5) return null;
  const { code, kind, originalCode, message, syscall, cause, meta, errors } = error as Record<string, unknown> & {
    meta?: Record<string, unknown>;
  };
  const codes = [code, originalCode].filter((found) => typeof found === 'string');
  const words = typeof message === 'string' ? message : '';
  if (codes.includes('57014') || slow.test(words)) return 'slow';
  if (codes.some((found) => unstorable.has(found))) return 'text';
  if (codes.some((found) => unreachable.test(found)) || unreachableKinds.has(`${kind}`) || unreachableWords.test(words))
    return 'down';
  if (lostConnection.has(`${code}`) && networkCalls.has(`${syscall}`)) return 'down';
  const inner = Array.isArray(errors) ? errors : [];
  for (const next of [cause, meta?.['driverAdapterError'], ...inner]) {
    const found = outage(next, depth + 1);
    if (found) return found;
  }
  return null;
}
