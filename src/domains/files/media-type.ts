import { type AppError, badInput } from '../../core/errors.js';

/** Containers that say no more of themselves at their beginning, and what may be inside. */
const containers: Readonly<Record<string, RegExp>> = {
  'application/zip': /^application\/(zip|x-zip-compressed|epub\+zip|java-archive|vnd\..+)$/,
  'application/x-cfb': /^application\/(x-cfb|msword|vnd\.ms-.+)$/,
  'application/xml': /^(application|text)\/xml$|\+xml$/,
  'application/gzip': /^application\/(gzip|x-gzip|x-tgz)$/,
};

/** Other names of what is found. */
const aliases: Readonly<Record<string, string>> = {
  'audio/mp3': 'audio/mpeg',
  'audio/wave': 'audio/wav',
  'audio/x-wav': 'audio/wav',
  'image/jpg': 'image/jpeg',
  'audio/x-m4a': 'audio/mp4',
  'video/x-m4v': 'video/mp4',
};
const plain = (type: string) => aliases[type] ?? type;

/** What is wrong with the type that bytes, which begin so, were declared to be of; null when nothing is. */
export async function typeFault(declared: string, head: Buffer): Promise<AppError | null> {
  // Loaded with the first upload: processes start without it.
  const { fileTypeFromBuffer, supportedMimeTypes } = await import('file-type');
  const sniffed = (await fileTypeFromBuffer(head))?.mime ?? null;
  if (agrees(declared, sniffed, supportedMimeTypes)) return null;
  return badInput('mimeType', sniffed ? `is ${sniffed} in truth` : 'is not what the bytes are');
}

/** Whether bytes of the type that was found may be called what they were declared to be; null: none of those that can be found by the bytes. */
function agrees(declared: string, sniffed: string | null, findable: ReadonlySet<string>): boolean {
  if (declared === 'application/octet-stream') return true;
  // Text has no mark of its own; what should have one and has not, is something else.
  if (sniffed === null) return /^text\//.test(declared) || !findable.has(plain(declared));
  return plain(declared) === plain(sniffed) || containers[sniffed]?.test(declared) === true;
}

const inline = /^(image\/(png|jpeg|gif|webp|avif|bmp)|(audio|video)\/[\w.+-]+|text\/plain)$/;

/** Whether a browser may show it where it is: only what it does not run. */
export const isInert = (mimeType: string) => inline.test(mimeType);
