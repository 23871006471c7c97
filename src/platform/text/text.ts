import { Worker } from 'node:worker_threads';

/** What a file says, without its form. */
export interface ExtractedText {
  readonly text: string;
  /** There was more than `maxTextBytes`. */
  readonly isCut: boolean;
}

/** Why there is no text. Trying again changes nothing. */
export class TextUnreadable extends Error {
  override readonly name = 'TextUnreadable';
}

export const maxFileBytes = 20 * 1024 * 1024;
export const maxTextBytes = 1024 * 1024;
const patienceMs = 30_000;
const heapMb = 512;

/** How each media type is read. */
const readers: readonly [RegExp, string][] = [
  [/^text\/(x-)?markdown$/, 'markdown'],
  [/^(text\/html|application\/xhtml\+xml)$/, 'html'],
  [/^(application\/(.+\+)?json|application\/(x-)?ndjson)$/, 'json'],
  [/^(text\/csv|application\/csv)$/, 'csv'],
  [/^application\/pdf$/, 'pdf'],
  [/^application\/vnd\.openxmlformats-officedocument\.wordprocessingml\.document$/, 'docx'],
  [/^(text\/.+|application\/(xml|yaml|x-yaml|javascript|sql|toml))$/, 'plain'],
];

const bareType = (mediaType: string) => mediaType.split(';')[0]?.trim().toLowerCase() ?? '';
const readerOf = (mediaType: string) => readers.find(([type]) => type.test(bareType(mediaType)))?.[1] ?? null;

/** Whether files of this media type have text that can be had. */
export const hasText = (mediaType: string): boolean => readerOf(mediaType) !== null;

/**
 * The text of a file: plain, Markdown, HTML, JSON, CSV, PDF or DOCX. Rejects with TextUnreadable when it is of another type, broken, encrypted, larger than 20 MiB,
 * unpacks to far more than 64 MiB or takes longer than 30 seconds. Each file is read in a thread of its own, which ends with it: what it does to memory and time, it
 * does to that thread.
 */
export async function extractText(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  mediaType: string,
  signal?: AbortSignal,
): Promise<ExtractedText> {
  const reader = readerOf(mediaType);
  if (!reader) throw new TextUnreadable(`There is no text in ${bareType(mediaType) || 'a file without a type'}.`);
  const bytes = await bytesOf(source);
  const charset = /;\s*charset="?([\w:.-]+)/i.exec(mediaType)?.[1] ?? 'utf-8';
  const { text, isCut } = cut(storable(await readInThread({ bytes, reader, charset, maxTextBytes }, signal)));
  return { text, isCut };
}

async function bytesOf(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of source instanceof Uint8Array ? [source] : source) {
    size += part.byteLength;
    if (size > maxFileBytes) throw new TextUnreadable(`Text is taken from files up to ${maxFileBytes} bytes.`);
    parts.push(part);
  }
  // A copy of our own: the thread takes it over.
  return new Uint8Array(Buffer.concat(parts));
}

interface Reading {
  readonly bytes: Uint8Array;
  readonly reader: string;
  readonly charset: string;
  readonly maxTextBytes: number;
}

function readInThread(reading: Reading, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./text-worker.mjs', import.meta.url), {
      workerData: reading,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    const late = setTimeout(() => end(new TextUnreadable(`Its text takes longer than ${patienceMs} ms.`)), patienceMs);
    const stop = () => end(signal?.reason);
    function end(error: unknown, text = '') {
      clearTimeout(late);
      signal?.removeEventListener('abort', stop);
      void thread.terminate();
      if (error === null) resolve(text);
      else reject(error);
    }
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    thread.once('message', (answer: { text: string } | { error: string }) =>
      'text' in answer ? end(null, answer.text) : end(new TextUnreadable(answer.error)),
    );
    thread.once('error', (cause) => end(new TextUnreadable('It cannot be read.', { cause })));
    thread.once('exit', () => end(new TextUnreadable('It cannot be read.')));
  });
}

/** As text that every column can hold. */
const storable = (text: string) => text.replaceAll('\u0000', '').toWellFormed().trim();

function cut(text: string): ExtractedText {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxTextBytes) return { text, isCut: false };
  // The last character may have lost its end.
  return {
    text: bytes
      .subarray(0, maxTextBytes)
      .toString()
      .replace(/\uFFFD+$/, ''),
    isCut: true,
  };
}
