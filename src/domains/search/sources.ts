import type { ScopeName } from '../../core/actions.js';
import type { App } from '../../core/context.js';
import type { KeyedShape } from '../../core/shape.js';
import { notGoneSql } from '../../core/sql.js';
import type { SearchType } from '../../generated/graphql.js';
import { commentShape } from '../comments/comment.js';
import { fileShape } from '../files/file.js';
import { noteShape } from '../knowledge/note.js';
import { postShape } from '../posts/post.js';
import { taskShape } from '../tasks/task.js';
import { treeNodeShape } from '../tree/node.js';
import { fileText } from './file-text.js';
import { textIn } from './json-text.js';
import { hasProse } from './prose.js';
import type { SourceText } from './source-text.js';

/** A type of resource that is searched: rows of a model with `id` and `spaceId`, of which some columns make the text. */
export interface Source {
  readonly shape: KeyedShape<{ id: string }>;
  /** A key without it finds none. */
  readonly scope: ScopeName;
  /** The columns that `text` is made of. JSON comes as JsonText. */
  readonly columns: readonly string[];
  /** What of it lies elsewhere is fetched from `app`. */
  text(row: Readonly<Record<string, unknown>>, app: App, signal: AbortSignal): SourceText | Promise<SourceText>;
  /** Whether a body says enough to be found by meaning too; left out: any does. Where there is so much that most of it does not, many are indexed at once. */
  readonly hasMeaning?: (body: string) => boolean;
  /** SQL over `t`: other rows are not searched. */
  readonly where?: string;
}

/** Every type that is searched; one that is missing here does not compile. The events after which it is indexed stand in core/reactions.ts. */
export const sources: { readonly [Type in SearchType]: Source } = {
  TREE_NODE: {
    shape: treeNodeShape as KeyedShape<{ id: string }>,
    scope: 'tree:read',
    columns: ['path', 'value'],
    text: ({ path, value }) => ({ title: String(path), body: textIn(value) }),
    hasMeaning: hasProse,
  },
  FILE: {
    shape: fileShape as KeyedShape<{ id: string }>,
    scope: 'files:read',
    columns: ['path', 'mimeType', 'sizeBytes', 'currentVersionId'],
    text: fileText,
  },
  NOTE: {
    shape: noteShape as KeyedShape<{ id: string }>,
    scope: 'knowledge:read',
    columns: ['title', 'keywords', 'keywordsGiven', 'content'],
    // Keywords that were found in the text stand there already.
    text: ({ title, keywords, keywordsGiven, content }) => ({
      title: String(title),
      body: `${content}\n${keywordsGiven === true && Array.isArray(keywords) ? keywords.join(', ') : ''}`.trim(),
    }),
  },
  POST: {
    shape: postShape as KeyedShape<{ id: string }>,
    scope: 'posts:read',
    columns: ['title', 'excerpt', 'content'],
    text: ({ title, excerpt, content }) => ({ title: String(title), body: [excerpt ?? '', content].join('\n').trim() }),
  },
  COMMENT: {
    shape: commentShape as KeyedShape<{ id: string }>,
    scope: 'comments:read',
    columns: ['content'],
    text: ({ content }) => ({ title: '', body: String(content) }),
    where: 't."deletedAt" is null',
  },
  TASK: {
    shape: taskShape as KeyedShape<{ id: string }>,
    scope: 'tasks:read',
    columns: ['title', 'type', 'parameters'],
    text: ({ title, type, parameters }) => ({ title: String(title ?? type), body: textIn(parameters) }),
  },
};

export const searchTypes = Object.keys(sources) as SearchType[];

/** The source of rows of a model; null for a model that is not searched. */
export const sourceOf = (model: string): Source | null =>
  Object.values(sources).find(({ shape }) => shape.model === model) ?? null;

/** What rows of `t` must pass to be searched at all, after `rules`. */
export const searchedSql = ({ shape, where }: Source, ...rules: readonly string[]): string =>
  [...rules, notGoneSql(shape), where].filter(Boolean).join(' and ');
