// Plain JavaScript, so that a thread starts it without the loader of whoever runs us. Reads one file and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { inflateRawSync } from 'node:zlib';

const { bytes, reader, charset, maxTextBytes } = workerData;
const maxUnpacked = 64 * 1024 * 1024;
/** A stream is unpacked to arrays that double: several of the largest that is read. */
const maxInArrays = 4 * maxUnpacked;
const largeArray = 1024 * 1024;
const maxEntries = 5_000;
/** What an entry of the directory begins with. */
const entryMark = 0x02014b50;

function decoded() {
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null;
  try {
    return new TextDecoder(mark ?? charset).decode(bytes);
  } catch (error) {
    // A charset that nobody knows is a label that somebody got wrong.
    if (error instanceof RangeError) return new TextDecoder().decode(bytes);
    throw error;
  }
}

async function fromHtml(html) {
  const { convert } = await import('html-to-text');
  return convert(html, {
    wordwrap: false,
    limits: { maxInputLength: html.length },
    selectors: [
      { selector: 'a', options: { ignoreHref: true } },
      { selector: 'img', format: 'skip' },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  });
}

function fromJson(text) {
  const found = [];
  const visit = (value) => {
    if (typeof value === 'string' || typeof value === 'number') found.push(String(value));
    else if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) {
        if (!Array.isArray(value)) found.push(key);
        visit(inner);
      }
  };
  const lines = (each) =>
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .forEach(each);
  try {
    visit(JSON.parse(text));
  } catch {
    try {
      lines((line) => visit(JSON.parse(line)));
    } catch {
      return text; // Neither JSON nor a line of it each: it is still text.
    }
  }
  return found.join('\n');
}

async function fromCsv(text) {
  const { parse } = await import('csv-parse/sync');
  const rows = parse(text, { relax_column_count: true, relax_quotes: true, skip_empty_lines: true, bom: true });
  return rows.map((row) => row.filter((cell) => cell !== '').join(' · ')).join('\n');
}

async function fromPdf() {
  const assertWithin = limitArrays();
  const { getDocumentProxy } = await import('unpdf');
  const pdf = await getDocumentProxy(bytes, { isEvalSupported: false, disableFontFace: true, verbosity: 0 });
  const pages = [];
  let length = 0;
  for (let number = 1; number <= pdf.numPages && length <= maxTextBytes; number += 1) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    // Which takes a stream that breaks off for one that ends.
    assertWithin();
    const text = items.map(({ str = '', hasEOL }) => (hasEOL ? `${str}\n` : str)).join('');
    length += text.length;
    pages.push(text);
    page.cleanup();
  }
  return pages.join('\n\n');
}

/** Lets this thread make so many bytes of large arrays and no more: a limit of its heap does not count what arrays hold. Answers what throws from then on. */
function limitArrays() {
  let left = maxInArrays;
  const assertWithin = () => {
    if (left < 0) throw new Error('It unpacks to too much.');
  };
  // What this unpacks is no array of ours until all of it is there; PDFs are unpacked without it too.
  globalThis.DecompressionStream = undefined;
  globalThis.Uint8Array = new Proxy(Uint8Array, {
    construct(target, values, made) {
      const [size] = values;
      if (typeof size === 'number' && size >= largeArray) left -= size;
      assertWithin();
      return Reflect.construct(target, values, made);
    },
  });
  return assertWithin;
}

async function fromDocx() {
  assertUnpacks();
  const { default: mammoth } = await import('mammoth');
  const { value } = await mammoth.extractRawText({ buffer: Buffer.from(bytes) });
  return value;
}

/** Unpacks every entry within a bound, whatever the archive says of their sizes and of how many there are. */
function assertUnpacks() {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = zip.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  if (end < 0) throw new Error('It is no ZIP archive.');
  // Whoever reads it must find the same directory: the one right before its end, in its small form.
  const from = zip.readUInt32LE(end + 16);
  const isLarge = [4, 6, 8, 10].some((field) => zip.readUInt16LE(end + field) === 0xffff);
  if (isLarge || from + zip.readUInt32LE(end + 12) !== end) throw new Error('Its directory is not where it says.');
  let left = maxUnpacked;
  let at = from;
  for (let entry = 1; at < end && zip.readUInt32LE(at) === entryMark; entry += 1) {
    if (entry > maxEntries) throw new Error('It holds too many entries.');
    left -= unpackedBytes(zip, at, left);
    if (left <= 0) throw new Error('It unpacks to too much.');
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  if (at !== end) throw new Error('Its directory is broken.');
}

/** How many bytes the entry makes that the directory describes at this place; throws beyond `most`. */
function unpackedBytes(zip, at, most) {
  const [method, packed, local] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)];
  const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const data = zip.subarray(from, from + packed);
  return method === 0 ? data.length : inflateRawSync(data, { maxOutputLength: Math.max(1, most) }).length;
}

const readers = {
  plain: decoded,
  markdown: async () => fromHtml((await import('marked')).marked.parse(decoded(), { async: false })),
  html: () => fromHtml(decoded()),
  json: () => fromJson(decoded()),
  csv: () => fromCsv(decoded()),
  pdf: fromPdf,
  docx: fromDocx,
};

try {
  parentPort.postMessage({ text: await readers[reader]() });
} catch (error) {
  parentPort.postMessage({ error: `It cannot be read: ${error instanceof Error ? error.message : error}` });
}
