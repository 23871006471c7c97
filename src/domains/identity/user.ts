import { z } from 'zod';
import { isObject } from '../../core/json.js';
import { name, slug, text, version, webAddress } from '../../core/rules.js';
import { shape } from '../../core/shape.js';
import type { Profile as ProfileModel, User as UserModel } from '../../generated/prisma/client.js';

const columns = ['id', 'handle', 'name', 'email', 'avatarUrl', 'version', 'createdAt'] as const;
export type UserRow = Pick<UserModel, (typeof columns)[number]>;

/** What leaves the database of a user. Who reads `email` is the resolver's to decide. */
export const userShape = shape<UserRow>({
  model: 'User',
  key: 'id',
  columns,
  always: ['id'],
  fields: {},
  inJson: { createdAt: 'instant' },
});

const profileColumns = ['userId', 'fullName', 'bio', 'preferences', 'lastLoginAt'] as const;
export type ProfileRow = Pick<ProfileModel, (typeof profileColumns)[number]>;

/** What leaves the database of a profile. Who reads `preferences` and `lastLoginAt` is the resolver's to decide. */
export const profileShape = shape<ProfileRow>({
  model: 'Profile',
  key: 'userId',
  columns: profileColumns,
  always: ['userId'],
  fields: {},
  inJson: { preferences: 'never', lastLoginAt: 'instant' },
});

/** The signed-in user, as the root of what is theirs. */
export interface ViewerRow {
  readonly userId: string;
}

export const maxPreferencesBytes = 64 * 1024;

/** The rules of `updateProfile`. */
export const ProfileChange = z.object({
  version: version.nullish(),
  name: name.optional(),
  handle: slug.optional(),
  avatarUrl: webAddress.nullish(),
  fullName: text(200).nullish(),
  bio: text(2_000).nullish(),
  preferences: z.custom<Record<string, unknown>>(isObject, 'must be an object').optional(),
});
