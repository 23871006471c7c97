import { hash, verify } from '@node-rs/bcrypt';

const COST = 12;
const MIN_CHARACTERS = 8;
const MAX_BYTES = 72;

export interface PasswordProblem {
  readonly code: string;
  readonly message: string;
}

/** bcrypt reads 72 bytes: a longer password is refused, never cut. Null when it fits. */
export function tooLong(password: string): PasswordProblem | null {
  if (Buffer.byteLength(password) <= MAX_BYTES) return null;
  return { code: 'PASSWORD_TOO_LONG', message: `Password must not be longer than ${MAX_BYTES} bytes` };
}

/** Why a password cannot be chosen, or null. */
export function passwordProblem(password: string): PasswordProblem | null {
  if ([...password].length >= MIN_CHARACTERS) return tooLong(password);
  return { code: 'PASSWORD_TOO_SHORT', message: `Password must have at least ${MIN_CHARACTERS} characters` };
}

/** Hashes off the event loop. Rejects a password of more than 72 bytes. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, { cost: COST, rejectLongPasswords: true });
}

/** Compares off the event loop. A password that could never have been stored matches nothing. */
export async function verifyPassword(stored: { hash: string; password: string }): Promise<boolean> {
  const matches = await verify(stored.password, stored.hash);
  return matches && tooLong(stored.password) === null;
}
