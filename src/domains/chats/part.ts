import { z } from 'zod';
import { AppError, badInput } from '../../core/errors.js';
import { canonicalJson, isObject } from '../../core/json.js';
import { mediaType, said, textUpTo, url } from './rule.js';

export const maxParts = 256;
export const maxPartsBytes = 256 * 1024;

const state = said(z.enum(['STREAMING', 'DONE']));
const providerMetadata = said(z.record(z.string(), z.unknown()));
const toolCallId = z.string().min(1).max(255);
const filename = said(textUpTo(255));
/** Any JSON; what is left out is JSON null. */
const json = z
  .unknown()
  .optional()
  .transform((value) => value ?? null);

const textPart = z
  .object({ text: z.string(), state, providerMetadata })
  .transform((part) => ({ type: 'TextPart' as const, ...part }));
export type TextPartRow = z.output<typeof textPart>;

const reasoningPart = z
  .object({ text: z.string(), reasoningId: said(textUpTo(255)), state, providerMetadata })
  .transform((part) => ({ type: 'ReasoningPart' as const, ...part }));
export type ReasoningPartRow = z.output<typeof reasoningPart>;

const imagePart = z
  .object({ url, mediaType: mediaType.regex(/^image\//i, 'must begin with image/'), filename, providerMetadata })
  .transform((part) => ({ type: 'ImagePart' as const, ...part }));
export type ImagePartRow = z.output<typeof imagePart>;

const filePart = z
  .object({ url, mediaType, filename, providerMetadata })
  .transform((part) => ({ type: 'FilePart' as const, ...part }));
export type FilePartRow = z.output<typeof filePart>;

const toolCallPart = z
  .object({
    toolCallId,
    toolName: textUpTo(128).min(1),
    kind: z.enum(['STATIC', 'DYNAMIC', 'NORMALIZED']),
    state: z.enum(['INPUT_STREAMING', 'INPUT_AVAILABLE']),
    input: json,
    rawInput: said(z.unknown()),
    title: said(textUpTo(255)),
    providerExecuted: said(z.boolean()),
    providerMetadata,
  })
  .transform((part) => ({ type: 'ToolCallPart' as const, ...part }));
export type ToolCallPartRow = z.output<typeof toolCallPart>;

const toolResultPart = z
  .object({
    toolCallId,
    output: json,
    errorText: said(z.string().max(4_000)),
    preliminary: said(z.boolean()),
  })
  .refine(({ output, errorText }) => output === null || errorText === undefined, {
    message: 'cannot be combined with output',
    path: ['errorText'],
  })
  .transform((part) => ({ type: 'ToolResultPart' as const, ...part }));
export type ToolResultPartRow = z.output<typeof toolResultPart>;

const sourcePart = z
  .object({
    sourceId: textUpTo(255).min(1),
    url: said(z.string().max(2_048)),
    mediaType: said(mediaType),
    title: said(textUpTo(500)),
    filename,
    providerMetadata,
  })
  .refine((source) => source.url !== undefined || (source.mediaType !== undefined && source.title !== undefined), {
    message: 'must be given, or else mediaType and title',
    path: ['url'],
  })
  .transform((part) => ({ type: 'SourcePart' as const, ...part }));
export type SourcePartRow = z.output<typeof sourcePart>;

const dataPart = z
  .object({
    name: textUpTo(128).min(1),
    dataId: said(textUpTo(255)),
    data: json,
  })
  .transform((part) => ({ type: 'DataPart' as const, ...part }));
export type DataPartRow = z.output<typeof dataPart>;

export interface StepPartRow {
  readonly type: 'StepPart';
}

/** A part of a message, as it is kept. */
export type MessagePartRow =
  | TextPartRow
  | ReasoningPartRow
  | ImagePartRow
  | FilePartRow
  | ToolCallPartRow
  | ToolResultPartRow
  | SourcePartRow
  | DataPartRow
  | StepPartRow;

/** The rules of a part that is sent: exactly one of the fields is there, which the schema sees to. */
export const PartInput = z
  .object({
    text: textPart.nullish(),
    reasoning: reasoningPart.nullish(),
    image: imagePart.nullish(),
    file: filePart.nullish(),
    toolCall: toolCallPart.nullish(),
    toolResult: toolResultPart.nullish(),
    source: sourcePart.nullish(),
    data: dataPart.nullish(),
    step: z.literal(true, 'must be true').nullish(),
  })
  .transform(({ step: _, ...others }): MessagePartRow => {
    const [part] = Object.values(others).filter((one) => one != null);
    return part ?? { type: 'StepPart' };
  });

const inputOf: ReadonlyMap<unknown, keyof z.input<typeof PartInput>> = new Map([
  ['TextPart', 'text'],
  ['ReasoningPart', 'reasoning'],
  ['ImagePart', 'image'],
  ['FilePart', 'file'],
  ['ToolCallPart', 'toolCall'],
  ['ToolResultPart', 'toolResult'],
  ['SourcePart', 'source'],
  ['DataPart', 'data'],
  ['StepPart', 'step'],
]);

/** The rules of a part as it is kept, where it comes from elsewhere: those of one that is sent. */
export const KeptPart = z.preprocess((kept) => {
  const { type, ...part } = isObject(kept) ? kept : {};
  const input = inputOf.get(type);
  return input && { [input]: type === 'StepPart' ? true : part };
}, PartInput);

/** JSON as it is kept; PAYLOAD_TOO_LARGE, and BAD_USER_INPUT for what no database keeps, name `argument`. */
export function jsonText(value: unknown, argument: string, maxBytes: number): string {
  const text = canonicalJson(value, argument);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes)
    throw new AppError('PAYLOAD_TOO_LARGE', `${argument}: ${bytes} bytes, at most ${maxBytes} are kept.`, {
      fields: [{ path: argument, message: `must be at most ${maxBytes} bytes` }],
    });
  return text;
}

/**
 * Checks that each call of a message is told from the others and has one result at most; answers the calls that its results name
 * and it does not make itself.
 */
export function callsElsewhere(parts: readonly MessagePartRow[], argument: string): string[] {
  const calls = new Set<string>();
  const results = new Set<string>();
  for (const [at, part] of parts.entries()) {
    if (part.type !== 'ToolCallPart' && part.type !== 'ToolResultPart') continue;
    const known = part.type === 'ToolCallPart' ? calls : results;
    if (known.has(part.toolCallId)) throw badInput(`${argument}.${at}`, `has the toolCallId of another part`);
    if (part.type === 'ToolCallPart' && results.has(part.toolCallId))
      throw badInput(`${argument}.${at}`, 'comes after its result');
    known.add(part.toolCallId);
  }
  return [...results].filter((id) => !calls.has(id));
}
