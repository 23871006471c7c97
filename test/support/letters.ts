import { type LocalService, localService } from './local-service.js';

export const lettersSize = 27;

/** A model of meaning that anyone can follow: how often each letter stands in a text. Not of unit length. */
export function lettersOf(text: string): number[] {
  const counts = Array.from({ length: lettersSize }, () => 0);
  for (const letter of text.toLowerCase()) {
    const at = letter.charCodeAt(0) - 96;
    if (at > 0 && at < lettersSize) counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts.some((count) => count > 0) ? counts : [1, ...counts.slice(1)];
}

/** That model behind an endpoint of OpenAI's protocol. */
export const lettersService = (): Promise<LocalService> =>
  localService('key', (_, body) => {
    const { input } = body as { input: string[] };
    return { data: input.map((text, index) => ({ index, embedding: lettersOf(text) })) };
  });

/** What an App is told of that endpoint. */
export const lettersModel = ({ url }: LocalService, model = 'letters') => ({
  url,
  key: 'key',
  model,
  dimensions: lettersSize,
});

/** How many texts each request to the endpoint brought. */
export const textsSent = ({ calls }: LocalService) =>
  calls.map(({ body }) => (body as { input: string[] }).input.length);
