/** What a token of one of the configured issuers says, after every check. */
export interface VerifiedToken {
  /** Stored as `Identity.issuer`. */
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  /** True only when the issuer itself vouches for the e-mail. */
  readonly emailVerified: boolean;
  readonly name: string | null;
  /** The issuer's session behind the token; one of ours when the issuer is the embedded one. */
  readonly sessionId: string | null;
  /** The organization that the issuer names, in the issuer's words. */
  readonly organizationClaim: string | null;
  /** Null: the token acts for all that its subject may do. */
  readonly scopes: readonly string[] | null;
  readonly expiresAt: Date;
}

/** Pure verification: whether the session behind the token still lives is asked elsewhere. */
export interface TokenVerifier {
  /**
   * Rejects with a TokenError: `invalid` when the token does not count and will not, `unavailable` when the issuer's
   * keys cannot be had now. Nothing in the error tells more about the token.
   */
  verify(token: string): Promise<VerifiedToken>;
}

/** Why a token was not accepted. */
export class TokenError extends Error {
  readonly reason: 'invalid' | 'unavailable';

  constructor(reason: 'invalid' | 'unavailable', message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'TokenError';
    this.reason = reason;
  }
}
