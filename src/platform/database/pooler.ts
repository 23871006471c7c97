/**
 * Whether a database is reached through a pooler in transaction mode, which its URL says with `pgbouncer=true`: then each transaction may run on another
 * connection of the server, so nothing that outlives a transaction may be relied on.
 */
export const throughPooler = (url: string) => /[?&]pgbouncer=true(&|$)/.test(url);
