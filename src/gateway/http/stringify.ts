import { JsonText } from '../../platform/database/database.js';

/** What text in quotes cannot hold as it is: quotes, backslashes, control characters, and surrogates, which may be alone. */
const special = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;
const longest = 500;

const quoted = (text: string) => (text.length < longest && !special.test(text) ? `"${text}"` : JSON.stringify(text));

/** An answer as JSON text. Stored JSON goes in as the text that it is; for everything else it is as `JSON.stringify`. */
export function stringify(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      break;
    default:
      return 'null';
  }
  if (value === null) return 'null';
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return stringifyList(value);
  let text = '{';
  let comma = '';
  for (const key of Object.keys(value)) {
    const one = (value as Record<string, unknown>)[key];
    if (one === undefined) continue;
    text += `${comma}${quoted(key)}:${stringify(one)}`;
    comma = ',';
  }
  return `${text}}`;
}

function stringifyList(list: readonly unknown[]): string {
  let text = '[';
  let comma = '';
  for (const one of list) {
    text += comma + stringify(one);
    comma = ',';
  }
  return `${text}]`;
}
