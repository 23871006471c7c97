-- The tables of identity, organizations, spaces, the tree, the event log and the audit trail.
--
-- Written from prisma/models, then completed by hand with what Prisma cannot say: collations and partitions in place,
-- everything else at the end.
--
-- COLLATE "C": ids and paths compare by bytes, the same on every server, and a prefix is a range of the index. Every
-- column that holds an id has it (npm run migration adds it), because an index serves only comparisons of its collation.

-- Addresses and names are the same in every spelling.
CREATE EXTENSION IF NOT EXISTS citext;

-- CreateEnum
CREATE TYPE "AuditOperation" AS ENUM ('READ', 'WRITE', 'DELETE', 'BATCH', 'AUTH', 'ADMIN');

-- CreateEnum
CREATE TYPE "UserStatus" AS ENUM ('ACTIVE', 'SUSPENDED', 'DELETED');

-- CreateEnum
CREATE TYPE "OrganizationRole" AS ENUM ('MEMBER', 'ADMIN', 'OWNER');

-- CreateEnum
CREATE TYPE "SpaceRole" AS ENUM ('VIEWER', 'COMMENTER', 'EDITOR', 'ADMIN', 'OWNER');

-- CreateEnum
CREATE TYPE "SpaceVisibility" AS ENUM ('PRIVATE', 'PUBLIC');

-- CreateEnum
CREATE TYPE "TreeOperation" AS ENUM ('WRITE', 'DELETE', 'RESTORE', 'MOVE');

-- CreateTable
CREATE TABLE "AuditEvent" (
    "id" TEXT COLLATE "C" NOT NULL DEFAULT ('audit_'::text || (gen_random_uuid())::text),
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "operation" "AuditOperation" NOT NULL,
    "action" TEXT NOT NULL,
    "spaceId" TEXT COLLATE "C",
    "organizationId" TEXT COLLATE "C",
    "path" TEXT,
    "resourceType" TEXT,
    "resourceId" TEXT COLLATE "C",
    "userId" TEXT COLLATE "C",
    "apiKeyId" TEXT COLLATE "C",
    "sessionId" TEXT COLLATE "C",
    "success" BOOLEAN NOT NULL,
    "errorCode" TEXT,
    "requestId" TEXT COLLATE "C",
    "ip" TEXT,
    "metadata" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "AuditEvent_pkey" PRIMARY KEY ("at","id")
) PARTITION BY RANGE ("at");

-- CreateTable
CREATE TABLE "User" (
    "id" TEXT COLLATE "C" NOT NULL,
    "handle" CITEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" CITEXT,
    "avatarUrl" TEXT,
    "status" "UserStatus" NOT NULL DEFAULT 'ACTIVE',
    "version" INTEGER NOT NULL DEFAULT 1,
    "anonymizedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Profile" (
    "userId" TEXT COLLATE "C" NOT NULL,
    "fullName" TEXT,
    "bio" TEXT,
    "preferences" JSONB NOT NULL DEFAULT '{}',
    "lastLoginAt" TIMESTAMPTZ(3),

    CONSTRAINT "Profile_pkey" PRIMARY KEY ("userId")
);

-- CreateTable
CREATE TABLE "Identity" (
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "userId" TEXT COLLATE "C" NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Identity_pkey" PRIMARY KEY ("issuer","subject")
);

-- CreateTable
CREATE TABLE "ApiKey" (
    "id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "userId" TEXT COLLATE "C",
    "organizationId" TEXT COLLATE "C",
    "scopes" TEXT[],
    "spaceIds" TEXT[],
    "version" INTEGER NOT NULL DEFAULT 1,
    "expiresAt" TIMESTAMPTZ(3),
    "lastUsedAt" TIMESTAMPTZ(3),
    "revokedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ApiKey_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "IssuerUser" (
    "id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "emailVerified" BOOLEAN NOT NULL DEFAULT false,
    "image" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "IssuerUser_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "IssuerSession" (
    "id" TEXT COLLATE "C" NOT NULL,
    "userId" TEXT COLLATE "C" NOT NULL,
    "token" TEXT NOT NULL,
    "ipAddress" TEXT,
    "userAgent" TEXT,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "IssuerSession_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "IssuerSpentToken" (
    "token" TEXT NOT NULL,
    "sessionId" TEXT COLLATE "C" NOT NULL,
    "spentAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "IssuerSpentToken_pkey" PRIMARY KEY ("token")
);

-- CreateTable
CREATE TABLE "IssuerAccount" (
    "id" TEXT COLLATE "C" NOT NULL,
    "userId" TEXT COLLATE "C" NOT NULL,
    "accountId" TEXT COLLATE "C" NOT NULL,
    "providerId" TEXT COLLATE "C" NOT NULL,
    "accessToken" TEXT,
    "refreshToken" TEXT,
    "idToken" TEXT,
    "accessTokenExpiresAt" TIMESTAMPTZ(3),
    "refreshTokenExpiresAt" TIMESTAMPTZ(3),
    "scope" TEXT,
    "password" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "IssuerAccount_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "IssuerVerification" (
    "id" TEXT COLLATE "C" NOT NULL,
    "identifier" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "IssuerVerification_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "IssuerJwks" (
    "id" TEXT COLLATE "C" NOT NULL,
    "publicKey" TEXT NOT NULL,
    "privateKey" TEXT NOT NULL,
    "alg" TEXT,
    "crv" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ(3),

    CONSTRAINT "IssuerJwks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "IssuerAttempt" (
    "key" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "endsAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "IssuerAttempt_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "Organization" (
    "id" TEXT COLLATE "C" NOT NULL,
    "slug" CITEXT NOT NULL,
    "name" TEXT NOT NULL,
    "plan" TEXT NOT NULL DEFAULT 'free',
    "version" INTEGER NOT NULL DEFAULT 1,
    "deletedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Organization_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "OrganizationMember" (
    "organizationId" TEXT COLLATE "C" NOT NULL,
    "userId" TEXT COLLATE "C" NOT NULL,
    "role" "OrganizationRole" NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "OrganizationMember_pkey" PRIMARY KEY ("organizationId","userId")
);

-- CreateTable
CREATE TABLE "Invitation" (
    "id" TEXT COLLATE "C" NOT NULL,
    "organizationId" TEXT COLLATE "C",
    "spaceId" TEXT COLLATE "C",
    "email" CITEXT NOT NULL,
    "organizationRole" "OrganizationRole",
    "spaceRole" "SpaceRole",
    "tokenHash" TEXT NOT NULL,
    "invitedById" TEXT COLLATE "C",
    "invitedByKeyId" TEXT COLLATE "C",
    "version" INTEGER NOT NULL DEFAULT 1,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "acceptedAt" TIMESTAMPTZ(3),
    "revokedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Invitation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Event" (
    "txid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "seq" BIGSERIAL NOT NULL,
    "type" TEXT NOT NULL,
    "spaceId" TEXT COLLATE "C",
    "organizationId" TEXT COLLATE "C",
    "resourceType" TEXT NOT NULL,
    "resourceId" TEXT COLLATE "C" NOT NULL,
    "actorId" TEXT COLLATE "C",
    "related" JSONB NOT NULL DEFAULT '{}',
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Event_pkey" PRIMARY KEY ("createdAt","seq")
) PARTITION BY RANGE ("createdAt");

-- CreateTable
CREATE TABLE "EventHorizon" (
    "id" INTEGER NOT NULL DEFAULT 1 CHECK ("id" = 1),
    "txid" xid8 NOT NULL DEFAULT '0'::xid8,
    "seq" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "EventHorizon_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "IdempotencyRecord" (
    "actorKey" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "requestHash" TEXT NOT NULL,
    "response" BYTEA,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "IdempotencyRecord_pkey" PRIMARY KEY ("actorKey","key")
);

-- CreateTable
CREATE TABLE "Space" (
    "id" TEXT COLLATE "C" NOT NULL,
    "ownerUserId" TEXT COLLATE "C",
    "organizationId" TEXT COLLATE "C",
    "slug" CITEXT NOT NULL,
    "name" TEXT NOT NULL,
    "visibility" "SpaceVisibility" NOT NULL DEFAULT 'PRIVATE',
    "storageUsed" BIGINT NOT NULL DEFAULT 0,
    "storageLimit" BIGINT NOT NULL DEFAULT 53687091200,
    "version" INTEGER NOT NULL DEFAULT 1,
    "deletedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Space_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "SpaceMember" (
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "userId" TEXT COLLATE "C" NOT NULL,
    "role" "SpaceRole" NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "SpaceMember_pkey" PRIMARY KEY ("spaceId","userId")
);

-- CreateTable
CREATE TABLE "TreeNode" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "path" TEXT COLLATE "C" NOT NULL,
    "parentPath" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "depth" INTEGER NOT NULL,
    "value" JSON NOT NULL,
    "contentType" TEXT NOT NULL,
    "checksum" TEXT NOT NULL,
    "sizeBytes" INTEGER NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdById" TEXT COLLATE "C",
    "updatedById" TEXT COLLATE "C",
    "deletedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "TreeNode_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "TreeNodeVersion" (
    "nodeId" TEXT COLLATE "C" NOT NULL,
    "version" INTEGER NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "path" TEXT COLLATE "C" NOT NULL,
    "value" JSON NOT NULL,
    "contentType" TEXT NOT NULL,
    "checksum" TEXT NOT NULL,
    "sizeBytes" INTEGER NOT NULL,
    "operation" "TreeOperation" NOT NULL,
    "authorId" TEXT COLLATE "C",
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "TreeNodeVersion_pkey" PRIMARY KEY ("nodeId","version")
);

-- CreateIndex
CREATE INDEX "AuditEvent_spaceId_at_id_idx" ON "AuditEvent"("spaceId", "at", "id");

-- CreateIndex
CREATE INDEX "AuditEvent_userId_at_idx" ON "AuditEvent"("userId", "at");

-- CreateIndex
CREATE UNIQUE INDEX "User_handle_key" ON "User"("handle");

-- CreateIndex
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");

-- CreateIndex
CREATE INDEX "Identity_userId_idx" ON "Identity"("userId");

-- CreateIndex
CREATE UNIQUE INDEX "ApiKey_hash_key" ON "ApiKey"("hash");

-- CreateIndex
CREATE INDEX "ApiKey_userId_id_idx" ON "ApiKey"("userId", "id");

-- CreateIndex
CREATE INDEX "ApiKey_organizationId_id_idx" ON "ApiKey"("organizationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "IssuerUser_email_key" ON "IssuerUser"("email");

-- CreateIndex
CREATE UNIQUE INDEX "IssuerSession_token_key" ON "IssuerSession"("token");

-- CreateIndex
CREATE INDEX "IssuerSession_userId_id_idx" ON "IssuerSession"("userId", "id");

-- CreateIndex
CREATE INDEX "IssuerSession_expiresAt_idx" ON "IssuerSession"("expiresAt");

-- CreateIndex
CREATE INDEX "IssuerSpentToken_sessionId_idx" ON "IssuerSpentToken"("sessionId");

-- CreateIndex
CREATE INDEX "IssuerAccount_userId_idx" ON "IssuerAccount"("userId");

-- CreateIndex
CREATE UNIQUE INDEX "IssuerAccount_providerId_accountId_key" ON "IssuerAccount"("providerId", "accountId");

-- CreateIndex
CREATE INDEX "IssuerVerification_identifier_idx" ON "IssuerVerification"("identifier");

-- CreateIndex
CREATE INDEX "IssuerVerification_expiresAt_idx" ON "IssuerVerification"("expiresAt");

-- CreateIndex
CREATE INDEX "IssuerAttempt_endsAt_idx" ON "IssuerAttempt"("endsAt");

-- CreateIndex
CREATE UNIQUE INDEX "Organization_slug_key" ON "Organization"("slug");

-- CreateIndex
CREATE INDEX "OrganizationMember_organizationId_createdAt_userId_idx" ON "OrganizationMember"("organizationId", "createdAt", "userId");

-- CreateIndex
CREATE INDEX "OrganizationMember_userId_idx" ON "OrganizationMember"("userId");

-- CreateIndex
CREATE UNIQUE INDEX "Invitation_tokenHash_key" ON "Invitation"("tokenHash");

-- CreateIndex
CREATE INDEX "Invitation_organizationId_id_idx" ON "Invitation"("organizationId", "id");

-- CreateIndex
CREATE INDEX "Invitation_spaceId_id_idx" ON "Invitation"("spaceId", "id");

-- CreateIndex
CREATE INDEX "Invitation_invitedById_idx" ON "Invitation"("invitedById");

-- CreateIndex
CREATE INDEX "Event_txid_seq_idx" ON "Event"("txid", "seq");

-- CreateIndex
CREATE INDEX "Event_spaceId_txid_seq_idx" ON "Event"("spaceId", "txid", "seq");

-- CreateIndex
CREATE INDEX "IdempotencyRecord_expiresAt_idx" ON "IdempotencyRecord"("expiresAt");

-- CreateIndex
CREATE INDEX "Space_ownerUserId_id_idx" ON "Space"("ownerUserId", "id");

-- CreateIndex
CREATE INDEX "Space_organizationId_id_idx" ON "Space"("organizationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Space_ownerUserId_slug_key" ON "Space"("ownerUserId", "slug");

-- CreateIndex
CREATE UNIQUE INDEX "Space_organizationId_slug_key" ON "Space"("organizationId", "slug");

-- CreateIndex
CREATE INDEX "SpaceMember_spaceId_createdAt_userId_idx" ON "SpaceMember"("spaceId", "createdAt", "userId");

-- CreateIndex
CREATE INDEX "SpaceMember_userId_idx" ON "SpaceMember"("userId");

-- CreateIndex
CREATE INDEX "TreeNode_spaceId_parentPath_name_idx" ON "TreeNode"("spaceId", "parentPath", "name");

-- CreateIndex
CREATE INDEX "TreeNode_createdById_idx" ON "TreeNode"("createdById");

-- CreateIndex
CREATE INDEX "TreeNode_updatedById_idx" ON "TreeNode"("updatedById");

-- CreateIndex
CREATE INDEX "TreeNodeVersion_spaceId_path_createdAt_idx" ON "TreeNodeVersion"("spaceId", "path", "createdAt");

-- CreateIndex
CREATE INDEX "TreeNodeVersion_authorId_createdAt_idx" ON "TreeNodeVersion"("authorId", "createdAt");

-- AddForeignKey
ALTER TABLE "Profile" ADD CONSTRAINT "Profile_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Identity" ADD CONSTRAINT "Identity_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_organizationId_fkey" FOREIGN KEY ("organizationId") REFERENCES "Organization"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IssuerSession" ADD CONSTRAINT "IssuerSession_userId_fkey" FOREIGN KEY ("userId") REFERENCES "IssuerUser"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IssuerSpentToken" ADD CONSTRAINT "IssuerSpentToken_sessionId_fkey" FOREIGN KEY ("sessionId") REFERENCES "IssuerSession"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IssuerAccount" ADD CONSTRAINT "IssuerAccount_userId_fkey" FOREIGN KEY ("userId") REFERENCES "IssuerUser"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "OrganizationMember" ADD CONSTRAINT "OrganizationMember_organizationId_fkey" FOREIGN KEY ("organizationId") REFERENCES "Organization"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "OrganizationMember" ADD CONSTRAINT "OrganizationMember_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Invitation" ADD CONSTRAINT "Invitation_organizationId_fkey" FOREIGN KEY ("organizationId") REFERENCES "Organization"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Invitation" ADD CONSTRAINT "Invitation_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Invitation" ADD CONSTRAINT "Invitation_invitedById_fkey" FOREIGN KEY ("invitedById") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Space" ADD CONSTRAINT "Space_ownerUserId_fkey" FOREIGN KEY ("ownerUserId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Space" ADD CONSTRAINT "Space_organizationId_fkey" FOREIGN KEY ("organizationId") REFERENCES "Organization"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SpaceMember" ADD CONSTRAINT "SpaceMember_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SpaceMember" ADD CONSTRAINT "SpaceMember_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TreeNode" ADD CONSTRAINT "TreeNode_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TreeNode" ADD CONSTRAINT "TreeNode_createdById_fkey" FOREIGN KEY ("createdById") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TreeNode" ADD CONSTRAINT "TreeNode_updatedById_fkey" FOREIGN KEY ("updatedById") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TreeNodeVersion" ADD CONSTRAINT "TreeNodeVersion_nodeId_fkey" FOREIGN KEY ("nodeId") REFERENCES "TreeNode"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TreeNodeVersion" ADD CONSTRAINT "TreeNodeVersion_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TreeNodeVersion" ADD CONSTRAINT "TreeNodeVersion_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- A space belongs to one user or to one organization.
ALTER TABLE "Space" ADD CONSTRAINT "Space_one_owner"
    CHECK (num_nonnulls("ownerUserId", "organizationId") = 1);

-- A key acts for one user or for one organization.
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_one_principal"
    CHECK (num_nonnulls("userId", "organizationId") = 1);

-- An invitation offers one role: in a space, or in an organization.
ALTER TABLE "Invitation" ADD CONSTRAINT "Invitation_one_role"
    CHECK (num_nonnulls("organizationRole", "spaceRole") = 1);
ALTER TABLE "Invitation" ADD CONSTRAINT "Invitation_role_has_place"
    CHECK (("spaceRole" IS NULL) = ("spaceId" IS NULL) AND ("organizationRole" IS NULL OR "organizationId" IS NOT NULL));

-- One open invitation an address and place. With expressions, because NULL is never equal to NULL.
CREATE UNIQUE INDEX "Invitation_open_key"
    ON "Invitation" (coalesce("organizationId", ''), coalesce("spaceId", ''), "email")
    WHERE "acceptedAt" IS NULL AND "revokedAt" IS NULL;

-- One live node a path; deleted ones keep theirs.
CREATE UNIQUE INDEX "TreeNode_spaceId_path_live_key" ON "TreeNode" ("spaceId", "path") WHERE "deletedAt" IS NULL;

-- A subtree is read level by level.
CREATE INDEX "TreeNode_spaceId_depth_path_live_idx" ON "TreeNode" ("spaceId", "depth", "path") WHERE "deletedAt" IS NULL;

-- What is to be purged.
CREATE INDEX "Space_deletedAt_idx" ON "Space" ("deletedAt", "id") WHERE "deletedAt" IS NOT NULL;

-- A new value changes no indexed column; with room on the page it changes no index either.
ALTER TABLE "TreeNode" SET (fillfactor = 85);

-- Partitions live in a schema of their own, out of Prisma's sight. What no partition covers is in the default one, so
-- a forgotten job delays the clean-up and loses nothing.
CREATE SCHEMA IF NOT EXISTS canopy_partitions;
CREATE TABLE canopy_partitions."Event_default" PARTITION OF "Event" DEFAULT;
CREATE TABLE canopy_partitions."AuditEvent_default" PARTITION OF "AuditEvent" DEFAULT;

-- The audit trail only grows. Old months leave as whole partitions.
CREATE FUNCTION canopy_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'AuditEvent is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "AuditEvent_append_only" BEFORE UPDATE OR DELETE ON "AuditEvent"
    FOR EACH ROW EXECUTE FUNCTION canopy_refuse_audit_change();
-- A row trigger holds on every partition; a statement trigger only where it stands, so each partition needs its own.
CREATE TRIGGER "AuditEvent_no_truncate" BEFORE TRUNCATE ON "AuditEvent"
    FOR EACH STATEMENT EXECUTE FUNCTION canopy_refuse_audit_change();
CREATE TRIGGER "AuditEvent_no_truncate" BEFORE TRUNCATE ON canopy_partitions."AuditEvent_default"
    FOR EACH STATEMENT EXECUTE FUNCTION canopy_refuse_audit_change();

-- Makes one partition of a table; false when it is there, or when the default partition already holds rows of its range
-- (they stay there, and so do those that follow).
CREATE FUNCTION canopy_make_partition(parent text, name text, lower_bound timestamptz, upper_bound timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass(format('canopy_partitions.%I', name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE canopy_partitions.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)',
        name, parent, lower_bound, upper_bound);
    RETURN true;
EXCEPTION
    WHEN check_violation THEN
        RETURN false;
END
$$;

-- Makes what the log needs around a moment: days of Event from the day before to seven days after, AuditEvent for this
-- month and the next. Days and months are those of UTC. Run daily; any number of runs make the same. Returns how many it made.
CREATE FUNCTION canopy_make_partitions("from" timestamptz DEFAULT now()) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    made integer := 0;
    began timestamptz;
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('canopy_make_partitions'));
    FOR days IN -1..7 LOOP
        began := (date_trunc('day', "from" AT TIME ZONE 'UTC') + make_interval(days => days)) AT TIME ZONE 'UTC';
        name := 'Event_' || to_char(began AT TIME ZONE 'UTC', 'YYYYMMDD');
        IF canopy_make_partition('Event', name, began, began + interval '24 hours') THEN
            made := made + 1;
        END IF;
    END LOOP;
    FOR months IN 0..1 LOOP
        began := (date_trunc('month', "from" AT TIME ZONE 'UTC') + make_interval(months => months)) AT TIME ZONE 'UTC';
        name := 'AuditEvent_' || to_char(began AT TIME ZONE 'UTC', 'YYYYMM');
        IF canopy_make_partition('AuditEvent', name, began,
            (began AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC') THEN
            EXECUTE format('CREATE TRIGGER "AuditEvent_no_truncate" BEFORE TRUNCATE ON canopy_partitions.%I
                FOR EACH STATEMENT EXECUTE FUNCTION canopy_refuse_audit_change()', name);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END
$$;

-- Up to where the log has been dropped; one row.
INSERT INTO "EventHorizon" DEFAULT VALUES;

-- Drops the days of Event that ended before a moment, and moves the horizon past them. Returns how many it dropped.
CREATE FUNCTION canopy_drop_events("before" timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    dropped integer := 0;
    part record;
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('canopy_make_partitions'));
    FOR part IN
        SELECT c.oid::regclass AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = '"Event"'::regclass AND c.relname ~ '^Event_[0-9]{8}$'
            AND (to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC') + interval '24 hours' <= "before"
    LOOP
        EXECUTE format('SELECT txid, seq FROM %s ORDER BY txid DESC, seq DESC LIMIT 1', part.name) INTO last;
        UPDATE "EventHorizon" SET txid = last.txid, seq = last.seq WHERE last.txid IS NOT NULL AND (txid, seq) < (last.txid, last.seq);
        EXECUTE format('DROP TABLE %s', part.name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

SELECT canopy_make_partitions();
