/** Something an assistant may read or has said before. */
export type TurnPart =
  | { readonly type: 'text'; readonly text: string }
  /** A picture or file that came with the message itself, as a data URL. */
  | { readonly type: 'file'; readonly url: string; readonly mediaType: string }
  | { readonly type: 'toolCall'; readonly toolCallId: string; readonly toolName: string; readonly input: unknown }
  | { readonly type: 'toolResult'; readonly toolCallId: string; readonly toolName: string; readonly output: unknown };

/** One message of a conversation. Results of tools follow their calls, each call has one. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly parts: readonly TurnPart[];
}

/** Something that was found where the conversation takes place. */
export interface Found {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  readonly excerpt: string;
}

/** What an assistant is asked. */
export interface ReplyRequest {
  /** What it should know before the conversation. */
  readonly instructions: string;
  /** In their order; the last one is to be answered. */
  readonly turns: readonly Turn[];
  /** Searches where the conversation takes place, as the person who asks may. */
  search(text: string, first: number): Promise<readonly Found[]>;
  readonly signal: AbortSignal;
}

/** What a model counted. */
export interface ReplyUsage {
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly totalTokens?: number | undefined;
}

/** A piece of a reply, in the order in which it is to be read. Text goes on the text before it. */
export type ReplyPiece =
  /** What follows was said with the results of the tools before it. */
  | { readonly type: 'step' }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'toolCall'; readonly toolCallId: string; readonly toolName: string; readonly input: unknown }
  | { readonly type: 'toolResult'; readonly toolCallId: string; readonly output: unknown }
  | { readonly type: 'toolError'; readonly toolCallId: string; readonly errorText: string }
  | { readonly type: 'source'; readonly sourceId: string; readonly title: string }
  | { readonly type: 'usage'; readonly usage: ReplyUsage };

/** Answers a conversation. */
export interface Assistant {
  /**
   * The reply, piece by piece. Rejects with AssistantFailure when it cannot be had or breaks off; ends or rejects soon after `signal` is aborted.
   */
  reply(request: ReplyRequest): AsyncIterable<ReplyPiece>;
}

/** Why there is no reply, or not all of it; the message is for whoever asked and holds nothing secret. */
export class AssistantFailure extends Error {
  override readonly name = 'AssistantFailure';
}
