import { JsonText } from '../../platform/database/database.js';

/** The texts and numbers in a JSON value, a line each, in their order. Keys name things and are no text. */
export function textIn(value: unknown): string {
  const found: string[] = [];
  const visit = (one: unknown): void => {
    if (typeof one === 'string' || typeof one === 'number') found.push(String(one));
    else if (typeof one === 'object' && one !== null) Object.values(one).forEach(visit);
  };
  visit(value instanceof JsonText ? value.toJSON() : value);
  return found.join('\n');
}
