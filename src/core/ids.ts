import { typeidUnboxed } from 'typeid-js';

/** The prefix of each type's ids, which is how `node(id:)` knows what it is asked for. */
export const prefixes = {
  user: 'User',
  key: 'ApiKey',
  org: 'Organization',
  inv: 'Invitation',
  space: 'Space',
  node: 'TreeNode',
  folder: 'Folder',
  file: 'File',
  fver: 'FileVersion',
  upload: 'UploadSession',
  grant: 'AccessGrant',
  note: 'Note',
  link: 'Link',
  post: 'Post',
  comment: 'Comment',
  task: 'Task',
  chat: 'Chat',
  msg: 'Message',
  stream: 'ChatStream',
} as const;

export type Prefix = keyof typeof prefixes;

/** A new id: `prefix_` and a UUIDv7 as 26 characters; later ids sort after earlier ones. */
export function newId(prefix: Prefix): string {
  return typeidUnboxed(prefix);
}

const form = /^([a-z]+)_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** The SDL type that an id belongs to; null for text that is no id of ours. */
export function typeOfId(id: string): (typeof prefixes)[Prefix] | null {
  const prefix = form.exec(id)?.[1];
  return prefix !== undefined && Object.hasOwn(prefixes, prefix) ? prefixes[prefix as Prefix] : null;
}

/** What the ids of a type begin with, before the underscore. */
export function prefixOf(type: (typeof prefixes)[Prefix]): Prefix {
  const found = Object.entries(prefixes).find(([, name]) => name === type);
  return (found as [Prefix, string])[0];
}
