import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, RetryError, stepCountIs, streamText, type TextStreamPart, type ToolSet, tool } from 'ai';
import { z } from 'zod';
import type { Log } from '../log.js';
import { type Assistant, AssistantFailure, type ReplyPiece, type ReplyRequest } from './assistant.js';
import { modelMessages } from './model-messages.js';

export interface ModelOptions {
  /** Of an API that speaks OpenAI's chat completions, without the final `/chat/completions`. */
  readonly url: string;
  /** Null: it needs none. */
  readonly key: string | null;
  readonly model: string;
  /** For how long it may say nothing, in milliseconds; a minute when left out. */
  readonly silenceMs?: number;
  readonly log: Log;
}

const maxSteps = 6;
const maxFound = 10;

/** A language model behind any API like OpenAI's, which may search where it is asked. */
export function modelAssistant({ url, key, model, silenceMs = 60_000, log }: ModelOptions): Assistant {
  const provider = createOpenAICompatible({
    name: 'assistant',
    baseURL: url,
    includeUsage: true,
    ...(key !== null && { apiKey: key }),
  });
  return {
    async *reply(request) {
      const silence = silenceAlarm(silenceMs);
      const { fullStream } = streamText({
        model: provider.chatModel(model),
        system: request.instructions,
        messages: modelMessages(request.turns),
        allowSystemInMessages: true,
        tools: toolsOf(request),
        stopWhen: stepCountIs(maxSteps),
        abortSignal: AbortSignal.any([request.signal, silence.signal]),
        // What fails arrives as a part of the stream too.
        onError: () => {},
      });
      try {
        for await (const part of fullStream) {
          silence.heard();
          if (part.type === 'error') throw failure(part.error, log);
          const piece = pieceOf(part);
          if (piece) yield piece;
        }
      } finally {
        silence.end();
      }
      if (silence.signal.aborted) throw new AssistantFailure('The model said nothing for too long.');
    },
  };
}

/** Aborts when nothing is heard for so long. */
function silenceAlarm(ms: number) {
  const alarm = new AbortController();
  const timer = setTimeout(() => alarm.abort(), ms);
  return { signal: alarm.signal, heard: () => timer.refresh(), end: () => clearTimeout(timer) };
}

function toolsOf({ search }: ReplyRequest): ToolSet {
  return {
    search: tool({
      description: 'Searches the space in which this conversation takes place. Answers ids, titles and excerpts.',
      inputSchema: z.object({ text: z.string().min(1).max(500).describe('Words to look for.') }),
      execute: ({ text }) => search(text, maxFound),
    }),
  };
}

function pieceOf(part: TextStreamPart<ToolSet>): ReplyPiece | null {
  switch (part.type) {
    case 'text-delta':
      return part.text === '' ? null : { type: 'text', text: part.text };
    case 'reasoning-delta':
      return part.text === '' ? null : { type: 'reasoning', text: part.text };
    case 'tool-call':
      return { type: 'toolCall', toolCallId: part.toolCallId, toolName: part.toolName, input: part.input };
    case 'tool-result':
      return { type: 'toolResult', toolCallId: part.toolCallId, output: part.output };
    case 'tool-error':
      return { type: 'toolError', toolCallId: part.toolCallId, errorText: 'The tool could not be used so.' };
    case 'start-step':
      return { type: 'step' };
    case 'finish': {
      const { inputTokens, outputTokens, totalTokens } = part.totalUsage;
      return { type: 'usage', usage: { inputTokens, outputTokens, totalTokens } };
    }
    default:
      return null;
  }
}

/** What the asker hears; what the API itself said is for the log. */
function failure(error: unknown, log: Log): AssistantFailure {
  const last = RetryError.isInstance(error) ? error.lastError : error;
  const status = APICallError.isInstance(last) ? last.statusCode : undefined;
  log.warn('The model did not answer.', { status, error: last });
  if (status === 429) return new AssistantFailure('The model has too much to do; try again later.');
  return new AssistantFailure(status ? `The model answered with HTTP ${status}.` : 'The model could not be reached.');
}
