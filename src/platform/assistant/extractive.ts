import { randomUUID } from 'node:crypto';
import type { Assistant, Found, ReplyRequest } from './assistant.js';

const maxFound = 5;

/** An assistant without a model: it looks for what was asked and answers with what it found, quoted and linked. */
export function extractiveAssistant(): Assistant {
  return {
    async *reply(request) {
      const text = question(request);
      const toolCallId = `call_${randomUUID()}`;
      yield { type: 'step' };
      yield { type: 'toolCall', toolCallId, toolName: 'search', input: { text } };
      const found = await request.search(text, maxFound);
      yield { type: 'toolResult', toolCallId, output: found };
      yield { type: 'step' };
      for (const piece of answer(found)) {
        if (request.signal.aborted) return;
        yield { type: 'text', text: piece };
      }
      for (const { id, title } of found) yield { type: 'source', sourceId: id, title };
    },
  };
}

/** What the last user said. */
function question({ turns }: ReplyRequest): string {
  const parts = turns.findLast(({ role }) => role === 'user')?.parts ?? [];
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

/** Markdown; links name things by their ids. */
function* answer(found: readonly Found[]): Generator<string> {
  if (found.length === 0) return yield 'I found nothing about that in this space.';
  yield found.length === 1
    ? 'I found this in the space:\n'
    : `I found ${found.length} things about that in the space:\n`;
  for (const { id, title, excerpt } of found) {
    yield `\n- [${linkText(title)}](${id})\n`;
    if (excerpt) yield `  > ${excerpt.replace(/\s+/g, ' ')}\n`;
  }
}

const linkText = (title: string) => title.replace(/([\\[\]])/g, '\\$1');
