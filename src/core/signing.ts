import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Signs what this installation hands out and wants to know again. */
export interface Signer {
  sign(parts: readonly (string | number | boolean)[]): string;
  /** Whether the signature is that of these parts; takes the same time for all. */
  holds(parts: readonly (string | number | boolean)[], signature: string): boolean;
}

/** A signer whose signatures count for one purpose only. */
export function signer(secret: string, purpose: string): Signer {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `canopy ${purpose}`, 32));
  const digest = (parts: readonly (string | number | boolean)[]) =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest();
  return {
    sign: (parts) => digest(parts).toString('base64url'),
    holds(parts, signature) {
      const given = Buffer.from(signature, 'base64url');
      const expected = digest(parts);
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}
