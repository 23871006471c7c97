import { accessExamples } from './access-examples.js';
import { chatsExamples } from './chats-examples.js';
import type { DemoWorld } from './demo-world.js';
import { filesExamples } from './files-examples.js';
import { firstExamples } from './first-examples.js';
import { knowledgeExamples } from './knowledge-examples.js';
import { liveExamples } from './live-examples.js';
import { postExamples } from './post-examples.js';
import { searchExamples } from './search-examples.js';
import { spaceExamples } from './space-examples.js';
import { taskExamples } from './task-examples.js';
import { treeExamples } from './tree-examples.js';

/** An operation to try. Its variables may hold placeholders, which `filled` replaces. */
export interface Example {
  /** What it does, for people; its tab has the name of the operation. */
  readonly name: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Examples that belong together. */
export interface ExampleGroup {
  readonly name: string;
  readonly examples: readonly Example[];
}

/** Ordered as one would get to know the product. */
export const groups: readonly ExampleGroup[] = [
  { name: 'First steps', examples: firstExamples },
  { name: 'The tree', examples: treeExamples },
  { name: 'Files', examples: filesExamples },
  { name: 'Notes and links', examples: knowledgeExamples },
  { name: 'Posts and comments', examples: postExamples },
  { name: 'Tasks', examples: taskExamples },
  { name: 'Chats', examples: chatsExamples },
  { name: 'Search', examples: searchExamples },
  { name: 'Events', examples: liveExamples },
  { name: 'Spaces and people', examples: spaceExamples },
  { name: 'Keys, access, audit', examples: accessExamples },
];

export const examples: readonly Example[] = groups.flatMap((group) => group.examples);

/**
 * Variables as JSON with their placeholders replaced: `$DEMO_SPACE`, `$DEMO_CHAT` and the like by what the demo world has for them, or a hint where there
 * is none; `$NOW` by the time of opening; `$UNIQUE` by a few characters that no other opening has.
 */
export function filled(variables: Example['variables'], world: Pick<DemoWorld, 'spaceId' | 'examples'> | null): string {
  const values = {
    $DEMO_SPACE: world?.spaceId ?? 'the id of one of your spaces',
    $DEMO_CHAT: world?.examples?.chatId ?? 'the id of a chat',
    $DEMO_NOTE: world?.examples?.noteId ?? 'the id of a note',
    $DEMO_TASK: world?.examples?.taskId ?? 'the id of a task',
    $DEMO_POST: world?.examples?.postId ?? 'the id of a post',
    $DEMO_FILE: world?.examples?.fileId ?? 'the id of a file',
    $UNIQUE: Date.now().toString(36) + Math.random().toString(36).slice(2, 6),
    $NOW: new Date().toISOString(),
  };
  const text = JSON.stringify(variables, null, 2);
  return Object.entries(values).reduce((filling, [name, value]) => filling.replaceAll(name, value), text);
}
