import { z } from 'zod';
import { isSoundText } from './json.js';

/** Text of at most so many characters, trimmed. */
export const text = (longest: number) =>
  z
    .string()
    .trim()
    .max(longest, `must be at most ${longest} characters`)
    .refine(isSoundText, 'must not hold U+0000 or lone surrogates');

/** The same, and not empty. */
export const filledText = (longest: number) => text(longest).min(1, 'must not be empty');

export const maxName = 200;

/** What people call something. */
export const name = filledText(maxName);

export const maxSlug = 63;

/** Part of an address, and of what people type: lower-case letters, digits, single hyphens. */
export const slug = z
  .string()
  .max(maxSlug, `must be at most ${maxSlug} characters`)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case letters, digits and single hyphens');

export const maxEmail = 254;

export const email = z
  .string()
  .max(maxEmail, `must be at most ${maxEmail} characters`)
  .regex(/^[^\s@]+@[^\s@]+$/, 'must be an e-mail address')
  .refine(isSoundText, 'must not hold U+0000 or lone surrogates');

/** An absolute http(s) URL. */
export const webAddress = z
  .string()
  .max(2_048, 'must be at most 2048 characters')
  .refine((value) => URL.canParse(value) && /^https?:/i.test(value), 'must be an absolute http(s) URL')
  .refine(isSoundText, 'must not hold U+0000 or lone surrogates');

/** Whether an instant is one of the years 1 to 9999: of all others JSON, the database and its driver have forms of their own. */
export function isCommonInstant(date: Date): boolean {
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999;
}

/** The version of what is to change, as it was last seen. */
export const version = z.int().min(1);
