import { isNativeError } from 'node:util/types';

/** One JSON object a line. Fields never hold secrets, tokens, cookies or variables. */
export interface Log {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/** Writes lines of at least `level` to `write`; JSON escapes control characters, so one entry is one line. */
export function jsonLog(level: keyof Log | 'silent', write: (line: string) => void): Log {
  const levels = ['info', 'warn', 'error', 'silent'];
  const least = levels.indexOf(level);
  const at =
    (name: keyof Log) =>
    (message: string, fields: object = {}) => {
      if (levels.indexOf(name) < least) return;
      write(`${JSON.stringify({ time: new Date().toISOString(), level: name, message, ...fields }, describeErrors)}\n`);
    };
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

const flushMs = 20;

/** Collects lines and writes them together, at the latest after 20 ms and when the process ends. */
export function bufferedLines(write: (text: string) => void): (line: string) => void {
  let waiting: string[] = [];
  const flush = () => {
    if (waiting.length === 0) return;
    const text = waiting.join('');
    waiting = [];
    write(text);
  };
  process.once('exit', flush);
  return (line) => {
    if (waiting.length === 0) setTimeout(flush, flushMs).unref();
    waiting.push(line);
  };
}

function describeErrors(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!isNativeError(value)) return value;
  return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
}
