import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, type Dirent } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { assertKey, type BlobInfo, type Blobs, type Multipart, NoSuchUpload, type Part } from './blobs.js';

const chunkBytes = 1024 * 1024;
const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/** What a promise answers; null when there is no such file. */
async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Objects as files below a directory. A file gets its name when all of it is on the disk. */
export function diskBlobs(directory: string): Blobs {
  const home = resolve(directory);
  const objects = join(home, 'objects');
  const incoming = join(home, 'incoming');
  const uploads = join(home, 'uploads');

  function fileOf(key: string): string {
    assertKey(key);
    return join(objects, key);
  }

  const partsOf = ({ uploadId }: Multipart) => join(uploads, uploadId);

  /** Writes what `source` gives to a file without a name yet. */
  async function receive(source: AsyncIterable<Buffer>): Promise<string> {
    await mkdir(incoming, { recursive: true });
    const file = join(incoming, randomUUID());
    try {
      await pipeline(source, createWriteStream(file, { flush: true }));
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    return file;
  }

  /** Gives a file its name, for good. */
  async function place(file: string, to: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      await mkdir(dirname(to), { recursive: true });
      try {
        await rename(file, to);
        break;
      } catch (error) {
        // Whoever removed the last object next to it may have taken the directory away in between.
        if (codeOf(error) !== 'ENOENT' || attempt === 5 || (await unlessMissing(stat(file))) === null) throw error;
      }
    }
    await syncUp(dirname(to));
  }

  /** What is in a directory is on the disk for good once the directory is, and those above it, which may be as new. */
  async function syncUp(folder: string): Promise<void> {
    for (let at = folder; at.startsWith(home); at = dirname(at)) await syncDirectory(at);
  }

  async function head(key: string): Promise<BlobInfo | null> {
    const found = await unlessMissing(stat(fileOf(key)));
    return found?.isFile() ? { key, sizeBytes: found.size, storedAt: found.mtime } : null;
  }

  async function infoOf(key: string): Promise<BlobInfo> {
    const info = await head(key);
    if (!info) throw new Error(`${key} is gone right after it was stored.`);
    return info;
  }

  /** Makes the object of its parts: all of it under its name at once, or nothing. A single part becomes the object itself. */
  async function compose(upload: Multipart, parts: readonly Part[]): Promise<void> {
    const folder = partsOf(upload);
    const [only] = parts;
    try {
      const whole =
        parts.length === 1 && only ? join(folder, `${only.number}`) : await receive(contents(folder, parts));
      await place(whole, fileOf(upload.key));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      // Someone else has completed it meanwhile, or it was aborted.
      if (!(await head(upload.key))) throw new NoSuchUpload();
    }
  }

  return {
    head,
    async put(key, body) {
      const to = fileOf(key);
      await place(await receive(body), to);
      return infoOf(key);
    },
    async get(key, range) {
      const file = await unlessMissing(open(fileOf(key)));
      if (!file) return null;
      const { size, mtime } = await file.stat();
      const bytes = range && { start: range.from, end: range.to };
      const body = file.createReadStream({ ...bytes, highWaterMark: chunkBytes });
      return { key, sizeBytes: size, storedAt: mtime, body };
    },
    async remove(keys) {
      for (const file of keys.map(fileOf)) {
        await rm(file, { force: true });
        await removeEmpty(dirname(file));
      }
    },
    async list(prefix, limit, from = null) {
      const blobs: BlobInfo[] = [];
      for await (const key of keysBelow(objects, '', prefix, from ?? '')) {
        if (blobs.length === limit) return { blobs, next: blobs.at(-1)?.key ?? null };
        const info = await head(key);
        if (info) blobs.push(info);
      }
      return { blobs, next: null };
    },
    async beginMultipart(key) {
      assertKey(key);
      const uploadId = randomUUID();
      const folder = partsOf({ key, uploadId });
      await mkdir(folder, { recursive: true });
      await syncUp(folder);
      return uploadId;
    },
    async putPart(upload, number, body) {
      const file = await receive(body);
      try {
        await rename(file, join(partsOf(upload), `${number}`));
      } catch (error) {
        await rm(file, { force: true });
        throw codeOf(error) === 'ENOENT' ? new NoSuchUpload() : error;
      }
      await syncDirectory(partsOf(upload));
      return randomUUID();
    },
    async completeMultipart(upload, parts) {
      if (!(await head(upload.key))) await compose(upload, parts);
      // Also those that somebody has left who was killed in between.
      await rm(partsOf(upload), { recursive: true, force: true });
    },
    async abortMultipart(upload) {
      await rm(partsOf(upload), { recursive: true, force: true });
    },
    async removeStale(before) {
      for (const folder of [incoming, uploads]) {
        for (const name of (await unlessMissing(readdir(folder))) ?? []) {
          const file = join(folder, name);
          const found = await unlessMissing(stat(file));
          if (found && found.mtime < before) await rm(file, { recursive: true, force: true });
        }
      }
    },
  };
}

async function* contents(folder: string, parts: readonly Part[]): AsyncGenerator<Buffer> {
  for (const { number } of [...parts].sort((a, b) => a.number - b.number))
    yield* createReadStream(join(folder, `${number}`), { highWaterMark: chunkBytes });
}

/** A name is on the disk once its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await unlessMissing(open(path));
  if (!directory) return;
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function removeEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(`${codeOf(error)}`)) throw error;
  }
}

const nameIn = (entry: Dirent) => (entry.isDirectory() ? `${entry.name}/` : entry.name);

/** Keys in their order, that begin with `prefix` and come after `from`. */
async function* keysBelow(folder: string, path: string, prefix: string, from: string): AsyncGenerator<string> {
  const entries = (await unlessMissing(readdir(folder, { withFileTypes: true }))) ?? [];
  const sorted = entries.map((entry) => nameIn(entry)).sort();
  for (const name of sorted) {
    const key = path + name;
    if (!name.endsWith('/')) {
      if (key.startsWith(prefix) && key > from) yield key;
    } else if ((key.startsWith(prefix) || prefix.startsWith(key)) && (key > from || from.startsWith(key)))
      yield* keysBelow(join(folder, name), key, prefix, from);
  }
}
