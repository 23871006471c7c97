/**
 * Everything that can happen, as `resource.pastTense`. `access: true` marks what may change who may do what: such an
 * event makes every process forget what it remembers of the ids that the event names.
 */
export const eventTypes = {
  'user.created': { access: false },
  'user.updated': { access: false },
  'user.deleted': { access: true },
  'session.revoked': { access: true },
  'session.rotated': { access: true },
  'clientSession.opened': { access: true },
  'apiKey.created': { access: false },
  'apiKey.rotated': { access: true },
  'apiKey.revoked': { access: true },
  'organization.created': { access: true },
  'organization.updated': { access: false },
  'organization.deleted': { access: true },
  'organization.memberUpdated': { access: true },
  'organization.memberRemoved': { access: true },
  'invitation.created': { access: false },
  'invitation.accepted': { access: true },
  'invitation.revoked': { access: false },
  'space.created': { access: true },
  'space.updated': { access: true },
  'space.deleted': { access: true },
  'space.restored': { access: true },
  'space.memberAdded': { access: true },
  'space.memberUpdated': { access: true },
  'space.memberRemoved': { access: true },
  'tree.written': { access: false },
  'tree.deleted': { access: false },
  'tree.moved': { access: false },
  'tree.restored': { access: false },
  'folder.created': { access: false },
  'folder.moved': { access: false },
  'folder.deleted': { access: false },
  'file.ready': { access: false },
  'file.updated': { access: false },
  'file.moved': { access: false },
  'file.deleted': { access: false },
  'file.granted': { access: false },
  'file.revoked': { access: false },
  'upload.started': { access: false },
  'upload.ended': { access: false },
  'note.created': { access: false },
  'note.updated': { access: false },
  'note.deleted': { access: false },
  'note.linked': { access: false },
  'link.created': { access: false },
  'link.updated': { access: false },
  'link.deleted': { access: false },
  'post.created': { access: false },
  'post.updated': { access: false },
  'post.published': { access: false },
  'post.unpublished': { access: false },
  'post.deleted': { access: false },
  'comment.created': { access: false },
  'comment.updated': { access: false },
  'comment.deleted': { access: false },
  'task.created': { access: false },
  'task.updated': { access: false },
  'task.queued': { access: false },
  'task.started': { access: false },
  'task.delayed': { access: false },
  'task.completed': { access: false },
  'task.failed': { access: false },
  'task.cancelled': { access: false },
  'chat.created': { access: false },
  'chat.updated': { access: false },
  'chat.archived': { access: false },
  'message.created': { access: false },
  'message.completed': { access: false },
  'message.failed': { access: false },
  'message.cancelled': { access: false },
} as const satisfies Record<string, { access: boolean }>;

export type EventType = keyof typeof eventTypes;

/** More ids and facts of an event, never content. */
export interface Related {
  readonly path?: string;
  readonly fromPath?: string;
  readonly version?: number;
  readonly userId?: string;
  readonly role?: string;
  readonly sourceId?: string;
  readonly targetId?: string;
  /** What a comment is on. */
  readonly subjectId?: string;
  /** The links of a note are told along with it, and not to be looked for. */
  readonly isLinked?: boolean;
  readonly chatId?: string;
}

/** What a change says of itself. */
export interface Emitted {
  readonly type: EventType;
  readonly spaceId: string | null;
  readonly organizationId: string | null;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly related: Related;
}

/** One row of the event log. */
export interface EventRow extends Omit<Emitted, 'type'> {
  readonly type: string;
  /** Opaque text; see event-log.ts. */
  readonly cursor: string;
  readonly actorId: string | null;
  readonly createdAt: Date;
}

/** The ids that memories are filed under which this event makes stale; none for events that leave access alone. */
export function staleTags(
  event: Pick<EventRow, 'type' | 'resourceId' | 'spaceId' | 'organizationId' | 'related'>,
): string[] {
  const known: { access: boolean } | undefined = eventTypes[event.type as EventType];
  if (known && !known.access) return [];
  return [event.resourceId, event.spaceId, event.organizationId, event.related.userId].filter(
    (id) => typeof id === 'string',
  );
}
