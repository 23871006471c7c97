import type { MessageRole } from '../../generated/graphql.js';

const maxLine = 200;
const maxSummary = 4_000;
/** How much of the beginning stays when it becomes too long: what a conversation is about is often said first. */
const maxBeginning = 1_000;

/** A summary with more messages in it: how each of them begins, and of too many the first and the last. */
export function digested(
  summary: string | null,
  messages: readonly { readonly role: MessageRole; readonly text: string }[],
): string | null {
  const lines = messages.flatMap(({ role, text }) => {
    const line = text.replace(/\s+/g, ' ').trim();
    if (line === '') return [];
    return [`${role.toLowerCase()}: ${line.length > maxLine ? `${line.slice(0, maxLine).toWellFormed()}…` : line}`];
  });
  const all = [...(summary?.split('\n') ?? []), ...lines].filter((line) => line !== gap);
  if (all.length === 0) return null;
  return shortened(all).join('\n');
}

const gap = '…';

function shortened(lines: readonly string[]): string[] {
  if (lengthOf(lines) <= maxSummary) return [...lines];
  const beginning: string[] = [];
  for (const line of lines) {
    if (lengthOf([...beginning, line]) > maxBeginning) break;
    beginning.push(line);
  }
  const end: string[] = [];
  for (const line of lines.slice(beginning.length).reverse()) {
    if (lengthOf([...beginning, gap, line, ...end]) > maxSummary) break;
    end.unshift(line);
  }
  return [...beginning, gap, ...end];
}

const lengthOf = (lines: readonly string[]) => lines.reduce((length, line) => length + line.length + 1, 0);
