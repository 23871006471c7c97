import { supportedMimeTypes } from 'file-type';

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

/** Whether bytes of the type that was found may be called what they were declared to be; null: no type was found. */
export function agrees(declared: string, sniffed: string | null): boolean {
  if (declared === 'application/octet-stream') return true;
  // Text has no mark of its own; what should have one and has not, is something else.
  if (sniffed === null) return /^text\//.test(declared) || !supportedMimeTypes.has(plain(declared) as 'image/png');
  return plain(declared) === plain(sniffed) || containers[sniffed]?.test(declared) === true;
}

const inline = /^(image\/(png|jpeg|gif|webp|avif|bmp)|(audio|video)\/[\w.+-]+|text\/plain)$/;

/** Whether a browser may show it where it is: only what it does not run. */
export const isInert = (mimeType: string) => inline.test(mimeType);
