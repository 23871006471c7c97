import { z } from 'zod';
import { shape } from '../../core/shape.js';
import type { AuditEvent as AuditEventModel } from '../../generated/prisma/client.js';
import { userShape } from '../identity/user.js';

const columns = [
  'id',
  'at',
  'operation',
  'action',
  'path',
  'resourceType',
  'resourceId',
  'userId',
  'apiKeyId',
  'success',
  'errorCode',
  'requestId',
  'ip',
  'metadata',
] as const;
export type AuditEventRow = Pick<AuditEventModel, (typeof columns)[number]>;

/** What leaves the database of an audit entry. */
export const auditEventShape = shape<AuditEventRow>({
  model: 'AuditEvent',
  key: 'id',
  columns,
  always: ['id', 'at'],
  fields: { user: ['userId'], ipAddress: ['ip'] },
  inJson: { at: 'instant', metadata: 'never' },
  along: { user: { column: 'userId', shape: userShape } },
});

export const Filter = z.object({
  operation: z.enum(['READ', 'WRITE', 'DELETE', 'BATCH', 'AUTH', 'ADMIN']).nullish(),
  success: z.boolean().nullish(),
  userId: z.string().nullish(),
  pathPrefix: z.string().nullish(),
  since: z.date().nullish(),
  until: z.date().nullish(),
});
