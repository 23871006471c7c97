import type { UIMessage } from 'ai';
import type { MessageFieldsFragment, MessagePartInput, SendMessageInput } from '../generated/client.js';

type UIPart = UIMessage['parts'][number];
type Part = MessageFieldsFragment['parts'][number];
type PartOf<Name extends Part['__typename']> = Extract<Part, { __typename: Name }>;

/** An AI SDK message as `sendMessage` takes it. It can be sent again: the message's id is its `clientMessageId`. */
export function fromUIMessage(message: UIMessage): Omit<SendMessageInput, 'chatId'> {
  const { id, role, parts, metadata } = message;
  return {
    clientMessageId: id,
    role: roles[role],
    parts: parts.flatMap(fromPart),
    ...(metadata !== undefined && { metadata }),
  };
}

/** A message of a chat as the AI SDK has it; null for one with results of tools alone, which belong to the message that called them. */
export const toUIMessage = (message: MessageFieldsFragment): UIMessage | null => toUIMessages([message])[0] ?? null;

/** The messages of a chat, in their order, as the AI SDK has them: each result stands with its call, whichever message brought it. */
export function toUIMessages(messages: readonly MessageFieldsFragment[]): UIMessage[] {
  const callers = new Map<string, MessageFieldsFragment>();
  const results = new Map<MessageFieldsFragment, Map<string, Result>>();
  for (const message of messages) {
    results.set(message, new Map());
    for (const part of message.parts) {
      if (part.__typename === 'ToolCallPart') callers.set(part.toolCallId, message);
      if (part.__typename !== 'ToolResultPart') continue;
      const caller = callers.get(part.toolCallId);
      if (caller) results.get(caller)?.set(part.toolCallId, part);
    }
  }
  return messages.flatMap((message) => (message.role === 'TOOL' ? [] : [uiMessage(message, results.get(message))]));
}

const roles = { system: 'SYSTEM', user: 'USER', assistant: 'ASSISTANT' } as const;
const uiRoles = { SYSTEM: 'system', USER: 'user', ASSISTANT: 'assistant', TOOL: 'assistant' } as const;
const states = { streaming: 'STREAMING', done: 'DONE' } as const;
const uiStates = { STREAMING: 'streaming', DONE: 'done' } as const;

function fromPart(part: UIPart): MessagePartInput[] {
  switch (part.type) {
    case 'text': {
      const { text, state, providerMetadata } = part;
      return [{ text: { text, state: state && states[state], providerMetadata } }];
    }
    case 'reasoning': {
      const { text, id: reasoningId, state, providerMetadata } = part;
      return [{ reasoning: { text, reasoningId, state: state && states[state], providerMetadata } }];
    }
    case 'file': {
      const { type: _, ...file } = part;
      return [/^image\//i.test(file.mediaType) ? { image: file } : { file }];
    }
    case 'source-url': {
      const { type: _, ...source } = part;
      return [{ source }];
    }
    case 'source-document': {
      const { type: _, ...source } = part;
      return [{ source }];
    }
    case 'step-start':
      return [{ step: true }];
    case 'dynamic-tool':
      return fromTool(part, part.toolName, part.dynamic === false ? 'NORMALIZED' : 'DYNAMIC');
    default:
      return isTool(part) ? fromTool(part, part.type.slice('tool-'.length), 'STATIC') : fromData(part);
  }
}

type DataUIPart = Extract<UIPart, { type: `data-${string}` }>;
type ToolUIPart = Extract<UIPart, { toolCallId: string }>;
const isTool = (part: UIPart): part is ToolUIPart => part.type.startsWith('tool-');

const fromData = ({ type, id: dataId, data }: DataUIPart): MessagePartInput[] => [
  { data: { name: type.slice('data-'.length), dataId, data } },
];

type ToolCall = NonNullable<MessagePartInput['toolCall']>;

/** A tool's part is a call and, once there is one, its result behind it. */
function fromTool(part: ToolUIPart, toolName: string, kind: ToolCall['kind']): MessagePartInput[] {
  const { toolCallId, input, providerExecuted } = part;
  const call: ToolCall = {
    toolCallId,
    toolName,
    kind,
    state: part.state === 'input-streaming' ? 'INPUT_STREAMING' : 'INPUT_AVAILABLE',
    input,
    rawInput: 'rawInput' in part ? part.rawInput : undefined,
    title: 'title' in part ? part.title : undefined,
    providerExecuted,
    providerMetadata: 'callProviderMetadata' in part ? part.callProviderMetadata : undefined,
  };
  if (part.state === 'output-available')
    return [{ toolCall: call }, { toolResult: { toolCallId, output: part.output, preliminary: part.preliminary } }];
  if (part.state === 'output-error')
    return [{ toolCall: call }, { toolResult: { toolCallId, errorText: part.errorText } }];
  return [{ toolCall: call }];
}

type Result = PartOf<'ToolResultPart'>;
type Results = ReadonlyMap<string, Result>;

function uiMessage(message: MessageFieldsFragment, results: Results = new Map()): UIMessage {
  const { id, clientMessageId, role, metadata, parts } = message;
  return {
    id: clientMessageId ?? id,
    role: uiRoles[role],
    ...(metadata != null && { metadata }),
    parts: parts.flatMap((part) => toPart(part, results) ?? []),
  };
}

function toPart(part: Part, results: Results): UIPart | null {
  switch (part.__typename) {
    case 'TextPart':
      return { type: 'text', text: part.text, ...state(part), ...provider(part) };
    case 'ReasoningPart':
      return {
        type: 'reasoning',
        text: part.text,
        ...given({ id: part.reasoningId }),
        ...state(part),
        ...provider(part),
      };
    case 'ImagePart':
    case 'FilePart':
      return {
        type: 'file',
        url: part.url,
        mediaType: part.mediaType,
        ...given({ filename: part.filename }),
        ...provider(part),
      };
    case 'SourcePart':
      return toSource(part);
    case 'DataPart':
      return { type: `data-${part.name}`, ...given({ id: part.dataId }), data: part.data };
    case 'StepPart':
      return { type: 'step-start' };
    case 'ToolCallPart':
      return toTool(part, results.get(part.toolCallId));
    case 'ToolResultPart':
      return null;
  }
}

function toSource(part: PartOf<'SourcePart'>): UIPart {
  const { sourceId, sourceUrl, sourceMediaType, title, filename } = part;
  if (sourceUrl != null)
    return { type: 'source-url', sourceId, url: sourceUrl, ...given({ title }), ...provider(part) };
  const document = { sourceId, mediaType: sourceMediaType ?? '', title: title ?? '' };
  return { type: 'source-document', ...document, ...given({ filename }), ...provider(part) };
}

function toTool(call: PartOf<'ToolCallPart'>, result: Result | undefined): UIPart {
  const { toolCallId, toolName, kind, input, rawInput, title, providerExecuted, providerMetadata } = call;
  const common = { toolCallId, ...given({ title, providerExecuted }) };
  const known = { ...common, ...given({ callProviderMetadata: providerMetadata }) };
  const dynamic = {
    type: 'dynamic-tool',
    toolName,
    ...(kind === 'NORMALIZED' && { dynamic: false as const }),
  } as const;
  const named = kind === 'STATIC' ? ({ type: `tool-${toolName}` } as const) : dynamic;
  if (result?.errorText != null)
    return {
      ...named,
      ...known,
      state: 'output-error',
      input: input ?? undefined,
      ...given({ rawInput }),
      errorText: result.errorText,
    };
  if (result)
    return {
      ...named,
      ...known,
      state: 'output-available',
      input,
      output: result.output,
      ...given({ preliminary: result.preliminary }),
    };
  return call.callState === 'INPUT_STREAMING'
    ? {
        ...named,
        ...common,
        state: 'input-streaming',
        input: input ?? undefined,
        ...(typeof rawInput === 'string' && { rawInput }),
      }
    : { ...named, ...known, state: 'input-available', input };
}

type Given<Fields> = { [Name in keyof Fields]?: NonNullable<Fields[Name]> };

/** The fields that were said: null is how GraphQL has the others. */
const given = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null)) as Given<Fields>;

const state = (part: { readonly state?: 'STREAMING' | 'DONE' | null }) =>
  part.state ? { state: uiStates[part.state] } : {};

const provider = (part: { readonly providerMetadata?: unknown }) =>
  given({ providerMetadata: part.providerMetadata }) as { providerMetadata?: Record<string, Record<string, string>> };
