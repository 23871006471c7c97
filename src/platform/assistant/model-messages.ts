import type { AssistantModelMessage, FilePart, ModelMessage, TextPart, ToolModelMessage, UserModelMessage } from 'ai';
import type { Turn, TurnPart } from './assistant.js';

/** A conversation as the AI SDK takes it. */
export const modelMessages = (turns: readonly Turn[]): ModelMessage[] =>
  turns.flatMap((turn): ModelMessage[] => {
    if (turn.role === 'assistant') return assistantMessages(turn);
    if (turn.role === 'system') return [{ role: 'system', content: textOf(turn) }];
    return [userMessage(turn)];
  });

const textOf = ({ parts }: Turn) => parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');

function userMessage({ parts }: Turn): UserModelMessage {
  return { role: 'user', content: parts.flatMap((part) => contentOf(part) ?? []) };
}

function contentOf(part: TurnPart): TextPart | FilePart | null {
  if (part.type === 'text') return { type: 'text', text: part.text };
  return part.type === 'file' ? { type: 'file', data: part.url, mediaType: part.mediaType } : null;
}

type Said = Exclude<AssistantModelMessage['content'], string>;

/** Results stand in messages of their own, behind the message that called. */
function assistantMessages({ parts }: Turn): ModelMessage[] {
  const messages: ModelMessage[] = [];
  let said: Said = [];
  let results: ToolModelMessage['content'] = [];
  const flush = () => {
    if (said.length > 0) messages.push({ role: 'assistant', content: said });
    if (results.length > 0) messages.push({ role: 'tool', content: results });
    said = [];
    results = [];
  };
  for (const part of parts) {
    if (part.type === 'toolResult') {
      const { toolCallId, toolName, output } = part;
      results.push({
        type: 'tool-result',
        toolCallId,
        toolName,
        output: { type: 'text', value: JSON.stringify(output) },
      });
      continue;
    }
    if (results.length > 0) flush();
    if (part.type === 'toolCall')
      said.push({ type: 'tool-call', toolCallId: part.toolCallId, toolName: part.toolName, input: part.input });
    else if (part.type === 'text') said.push({ type: 'text', text: part.text });
  }
  flush();
  return messages;
}
