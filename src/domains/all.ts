import type { Prefix, prefixes } from '../core/ids.js';
import type { KeyedShape } from '../core/shape.js';
import type { Resolvers } from '../generated/graphql.js';
import { resolvers as audit } from './audit/resolvers.js';
import { chatShape } from './chats/chat.js';
import { messageShape } from './chats/message.js';
import { resolvers as chats } from './chats/resolvers.js';
import { chatStreamShape } from './chats/stream.js';
import { commentShape } from './comments/comment.js';
import { resolvers as comments } from './comments/resolvers.js';
import { removeComments } from './comments/thread.js';
import { leaveAllFiles } from './files/closing.js';
import { fileShape, fileVersionShape } from './files/file.js';
import { folderShape } from './files/folder.js';
import { accessGrantShape } from './files/grant.js';
import { resolvers as files } from './files/resolvers.js';
import { uploadSessionShape } from './files/upload.js';
import { apiKeyShape } from './identity/api-key.js';
import type { Leave } from './identity/delete-user.js';
import { resolvers as identity } from './identity/resolvers.js';
import { userShape } from './identity/user.js';
import { forgetInvitations } from './invitations/closing.js';
import { invitationShape } from './invitations/invitation.js';
import { resolvers as invitations } from './invitations/resolvers.js';
import { resolvers as jobs } from './jobs/resolvers.js';
import { type Ends, removeLinksOf } from './knowledge/ends.js';
import { type LinkableRow, linkShape } from './knowledge/link.js';
import { noteShape } from './knowledge/note.js';
import { resolvers as knowledge } from './knowledge/resolvers.js';
import { leaveAllOrganizations } from './organizations/closing.js';
import { organizationShape } from './organizations/organization.js';
import { resolvers as organizations } from './organizations/resolvers.js';
import { postShape } from './posts/post.js';
import { resolvers as posts } from './posts/resolvers.js';
import type { Forget } from './posts/service.js';
import { forgetClients } from './realtime/closing.js';
import { resolvers as realtime } from './realtime/resolvers.js';
import { resolvers as search } from './search/resolvers.js';
import { leaveAllSpaces } from './spaces/closing.js';
import { leaveSpaces } from './spaces/members.js';
import { resolvers as spaces } from './spaces/resolvers.js';
import { spaceShape } from './spaces/space.js';
import { leaveTasks } from './tasks/closing.js';
import { resolvers as tasks } from './tasks/resolvers.js';
import { taskShape } from './tasks/task.js';
import { treeNodeShape } from './tree/node.js';
import { resolvers as tree } from './tree/resolvers.js';
import { firstNodes } from './tree/service.js';

/** What closing an account takes besides the account itself, in each domain that keeps something of people. */
export const leave: Leave = async (tx, closing) => {
  await leaveAllFiles(tx, closing);
  await leaveAllOrganizations(tx, closing);
  await leaveAllSpaces(tx, closing);
  await forgetInvitations(tx, closing);
  await leaveTasks(tx, closing);
  await forgetClients(tx, closing);
};

/** What hangs on things that are deleted, and goes with them. */
const forget: Forget = async (tx, ids) => {
  await removeLinksOf(tx, ids);
  await removeComments(tx, ids);
};

/** The shape of each type that links join. A type that is missing here does not compile. */
export const ends: Ends = {
  TreeNode: treeNodeShape as KeyedShape<LinkableRow>,
  File: fileShape as KeyedShape<LinkableRow>,
  Note: noteShape as KeyedShape<LinkableRow>,
  Post: postShape as KeyedShape<LinkableRow>,
};

/** What the domains resolve, older domains first; an older one is given here what newer ones add to its changes. */
export const resolvers: readonly Resolvers[] = [
  identity(leave),
  organizations(leaveSpaces),
  spaces(({ tree }) => firstNodes(tree)),
  invitations,
  tree,
  files,
  knowledge(ends),
  posts(forget),
  comments,
  tasks,
  chats,
  search,
  realtime,
  audit,
  jobs,
];

/** The shape of each type that `node(id:)` answers. A type that is missing here does not compile. */
export const nodeShapes: { readonly [Type in (typeof prefixes)[Prefix]]: KeyedShape<{ id: string }> } = {
  User: userShape as KeyedShape<{ id: string }>,
  ApiKey: apiKeyShape as KeyedShape<{ id: string }>,
  Organization: organizationShape as KeyedShape<{ id: string }>,
  Invitation: invitationShape as KeyedShape<{ id: string }>,
  Space: spaceShape as KeyedShape<{ id: string }>,
  TreeNode: treeNodeShape as KeyedShape<{ id: string }>,
  Folder: folderShape as KeyedShape<{ id: string }>,
  File: fileShape as KeyedShape<{ id: string }>,
  FileVersion: fileVersionShape as KeyedShape<{ id: string }>,
  UploadSession: uploadSessionShape as KeyedShape<{ id: string }>,
  AccessGrant: accessGrantShape as KeyedShape<{ id: string }>,
  Note: noteShape as KeyedShape<{ id: string }>,
  Link: linkShape as KeyedShape<{ id: string }>,
  Post: postShape as KeyedShape<{ id: string }>,
  Comment: commentShape as KeyedShape<{ id: string }>,
  Task: taskShape as KeyedShape<{ id: string }>,
  Chat: chatShape as KeyedShape<{ id: string }>,
  Message: messageShape as KeyedShape<{ id: string }>,
  ChatStream: chatStreamShape as KeyedShape<{ id: string }>,
};
