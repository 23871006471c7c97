import type { Readable } from 'node:stream';

/** What is known of a stored object without reading it. */
export interface BlobInfo {
  readonly key: string;
  readonly sizeBytes: number;
  readonly storedAt: Date;
}

/** An object that is being read; whoever asked for it reads `body` to its end or destroys it. */
export interface BlobContent extends BlobInfo {
  readonly body: Readable;
}

/** Bytes of an object, both ends included. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** An object that arrives in parts. */
export interface Multipart {
  readonly key: string;
  readonly uploadId: string;
}

/** A part that has arrived. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly etag: string;
}

/** One page of objects, by key. */
export interface BlobPage {
  readonly blobs: readonly BlobInfo[];
  /** Where the next page begins; null when there is none. */
  readonly next: string | null;
}

/**
 * Objects of any size under keys. An object is there whole or not at all, also after a crash, and once a call has resolved it stays. Nothing is
 * ever held in memory whole. Whatever rejects, but for NoSuchUpload, is the store's own trouble, as BlobsUnavailable where it is another server: the
 * same call may succeed later.
 */
export interface Blobs {
  /** Stores an object; one that had the key is replaced. Rejects with the body's error when the body fails, and then stores nothing. */
  put(key: string, body: Readable): Promise<BlobInfo>;
  /** The object, or bytes of it that it has; null when there is none. */
  get(key: string, range?: ByteRange): Promise<BlobContent | null>;
  head(key: string): Promise<BlobInfo | null>;
  /** Removes objects; those that are not there are none too many. */
  remove(keys: readonly string[]): Promise<void>;
  /** Objects whose keys begin with `prefix`, at most `limit`, from where `next` of the page before says. */
  list(prefix: string, limit: number, from?: string | null): Promise<BlobPage>;
  /** Begins an object that arrives in parts; answers the id of the upload. */
  beginMultipart(key: string): Promise<string>;
  /** Stores a part; one that had the number is replaced. All parts but the last have 5 MiB or more. Rejects with NoSuchUpload once it has ended. */
  putPart(upload: Multipart, number: number, body: Readable): Promise<string>;
  /** Makes the object of its parts, in the order of their numbers. To do it twice, also at once, is to do it once. */
  completeMultipart(upload: Multipart, parts: readonly Part[]): Promise<void>;
  /** Gives the parts up, which the store removes at once or in its own time; nothing happens when there are none. Who aborts does not complete. */
  abortMultipart(upload: Multipart): Promise<void>;
  /** Clears away what writes that never ended have left since before a moment. */
  removeStale(before: Date): Promise<void>;
}

/** The upload has been completed or aborted, or never was. */
export class NoSuchUpload extends Error {
  override readonly name = 'NoSuchUpload';
}

/** The store does not answer, or not soon enough. */
export class BlobsUnavailable extends Error {
  override readonly name = 'BlobsUnavailable';
}

const form = /^[a-z0-9_]{1,80}(\/[a-z0-9_]{1,80}){0,10}(\.gz)?$/;

/** Keys are made of ids and words of ours; anything else is a defect, never a path. */
export function assertKey(key: string): void {
  if (!form.test(key)) throw new Error(`Not a key of a blob: ${JSON.stringify(key.slice(0, 200))}`);
}
