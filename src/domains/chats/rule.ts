import { z } from 'zod';

/** What may be left out or null, which are kept alike: as nothing. */
export const said = <Rule extends z.ZodType>(rule: Rule) =>
  rule
    .nullish()
    .transform((value) => value ?? undefined)
    .optional();

/** Text of at most so many characters, as it is. */
export const textUpTo = (longest: number) => z.string().max(longest, `must be at most ${longest} characters`);

export const mediaType = textUpTo(255).regex(/^[\w.+-]+\/[\w.+*-]+/, 'must be a media type');

/** An http(s) or data URL; how large it may be is for the whole message to say. */
export const url = z
  .string()
  .refine((value) => /^(https?|data):/i.test(value) && URL.canParse(value), 'must be an http(s) or data URL');
