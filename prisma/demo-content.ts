import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = (name: string) => fileURLToPath(new URL(`./demo/${name}/`, import.meta.url));

/** A text with a title, as Markdown has it. */
export interface Titled {
  readonly title: string;
  readonly content: string;
}

/** The bytes of a file in `prisma/demo/files`. */
export const bytesOf = (name: string): Buffer => readFileSync(`${folder('files')}${name}`);

/** The notes in `prisma/demo/notes`, in the order of their numbers. */
export const notes = (): Titled[] =>
  readdirSync(folder('notes'))
    .sort()
    .map((name) => titled(`${folder('notes')}${name}`));

/** A post in `prisma/demo/posts`. */
export const post = (name: string): Titled => titled(`${folder('posts')}${name}.md`);

function titled(path: string): Titled {
  const [, title = '', content = ''] = readFileSync(path, 'utf8').match(/^# (.+)\n\n([\s\S]*)$/) ?? [];
  if (content === '') throw new Error(`${path} has no title with a text below.`);
  return { title, content };
}
