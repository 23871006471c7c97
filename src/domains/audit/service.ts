import { decideFor, enter } from '../../core/access.js';
import { type Action, type ActionName, actions, type Scope } from '../../core/actions.js';
import type { Ctx } from '../../core/context.js';
import { badInput } from '../../core/errors.js';
import { typeOfId } from '../../core/ids.js';
import { parse } from '../../core/input.js';
import { type List, loadList } from '../../core/lists.js';
import { load } from '../../core/loaders.js';
import type { Page } from '../../core/page.js';
import type { Selection } from '../../core/reading.js';
import type { KeyedShape } from '../../core/shape.js';
import type { AccessDecision, QueryAuditEventsArgs } from '../../generated/graphql.js';
import { chatShape } from '../chats/chat.js';
import { messageShape } from '../chats/message.js';
import { chatStreamShape } from '../chats/stream.js';
import { commentShape } from '../comments/comment.js';
import { folderShape } from '../files/folder.js';
import { invitationShape } from '../invitations/invitation.js';
import { linkShape } from '../knowledge/link.js';
import { noteShape } from '../knowledge/note.js';
import { postShape } from '../posts/post.js';
import { taskShape } from '../tasks/task.js';
import { treeNodeShape } from '../tree/node.js';
import { below, parsePath } from '../tree/path.js';
import { type AuditEventRow, auditEventShape, Filter } from './audit-event.js';

/** One page of a space's audit log, the latest first. */
export async function auditEvents(ctx: Ctx, args: QueryAuditEventsArgs, at?: Selection): Promise<Page<AuditEventRow>> {
  const { operation, success, userId, pathPrefix, since, until } = parse(Filter, args.filter ?? {});
  await enter(ctx, 'audit.read', { space: args.spaceId });
  const path = pathPrefix == null ? null : parsePath(pathPrefix, 'pathPrefix');
  const range = path === null ? null : below(path);
  const list: List<AuditEventRow> = {
    shape: auditEventShape,
    name: 'audit of a space',
    where: filterSql,
    values: [
      args.spaceId,
      operation ?? null,
      success ?? null,
      userId ?? null,
      path,
      range?.from ?? null,
      range?.to ?? null,
      since ?? null,
      until ?? null,
    ],
    order: { columns: ['at', 'id'], direction: 'desc' },
    within: args.spaceId,
  };
  return loadList(ctx, list, args, at);
}

const filterSql = `t."spaceId" = $1 and ($2::text is null or t.operation::text = $2) and ($3::boolean is null or t.success = $3)
  and ($4::text is null or t."userId" = $4) and ($5::text is null or t.path = $5 or (t.path collate "C" > $6 and t.path collate "C" < $7))
  and ($8::timestamptz is null or t.at >= $8) and ($9::timestamptz is null or t.at < $9)`;

/** Whether the viewer may do something with a thing, by the tables that guard the doing. */
export async function explainAccess(ctx: Ctx, id: string, actionName: string): Promise<AccessDecision> {
  if (!isAction(actionName)) throw badInput('action', `must be one of ${Object.keys(actions).join(', ')}`);
  const action: Action = actions[actionName];
  const scope = await scopeOf(ctx, id, action);
  const { allowed, rule, missing } = await decideFor(ctx, actionName, scope);
  return { allowed, rule, missing };
}

const isAction = (name: string): name is ActionName => Object.hasOwn(actions, name);

/** What lives in a space. */
const contents = {
  TreeNode: treeNodeShape as KeyedShape<{ spaceId: string }>,
  Folder: folderShape as KeyedShape<{ spaceId: string }>,
  Note: noteShape as KeyedShape<{ spaceId: string }>,
  Link: linkShape as KeyedShape<{ spaceId: string }>,
  Post: postShape as KeyedShape<{ spaceId: string }>,
  Comment: commentShape as KeyedShape<{ spaceId: string }>,
  Task: taskShape as KeyedShape<{ spaceId: string }>,
  Chat: chatShape as KeyedShape<{ spaceId: string }>,
  Message: messageShape as KeyedShape<{ spaceId: string }>,
  ChatStream: chatStreamShape as KeyedShape<{ spaceId: string }>,
};

/** Where a thing lives. What the viewer may not know of lives in a place that does not exist, as do things of another kind than the action's. */
async function scopeOf(ctx: Ctx, id: string, action: Action): Promise<Scope> {
  const nowhere: Scope = action.in === 'organization' ? { organization: '' } : { space: '' };
  const type = typeOfId(id);
  if (action.in === 'self') return { self: true };
  if (type === 'Space' && action.in === 'space') return { space: id };
  if (type === 'Organization' && action.in === 'organization') return { organization: id };
  if (type !== null && type in contents && action.in === 'space') {
    const content = await load(ctx, contents[type as keyof typeof contents], id);
    return content ? { space: content.spaceId } : nowhere;
  }
  if (type === 'Invitation') {
    const { spaceId, organizationId } = (await load(ctx, invitationShape, id)) ?? {};
    if (action.in === 'space' && spaceId) return { space: spaceId };
    if (action.in === 'organization' && organizationId) return { organization: organizationId };
  }
  return nowhere;
}
