import { chats, importChat, importMessage } from './chats.js';
import { comments, importComment } from './comments.js';
import { importFile } from './file-import.js';
import { files } from './files.js';
import { folders, importFolder } from './folders.js';
import type { Importer } from './importer.js';
import { importLink, links } from './links.js';
import { importNode, nodes } from './nodes.js';
import { importNote, notes } from './notes.js';
import { importPost, posts } from './posts.js';
import type { Source } from './source.js';
import { importHistory, importTask, tasks } from './tasks.js';

/** Everything that an export holds, what is named before what names it. */
export const sources: readonly Source[] = [folders, files, nodes, notes, posts, chats, tasks, comments, links];

/** What makes something of each kind of line. The bytes of files go with their file. */
export const importers: Readonly<Record<string, Importer>> = {
  folder: importFolder,
  file: importFile,
  node: importNode,
  note: importNote,
  post: importPost,
  comment: importComment,
  chat: importChat,
  message: importMessage,
  task: importTask,
  taskHistory: importHistory,
  link: importLink,
};
