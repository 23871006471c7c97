-- CreateEnum
CREATE TYPE "TaskStatus" AS ENUM ('PENDING', 'QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "TaskEventKind" AS ENUM ('STATUS', 'PROGRESS', 'LOG', 'OUTPUT');

-- CreateTable
CREATE TABLE "Task" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "ownerId" TEXT COLLATE "C",
    "apiKeyId" TEXT COLLATE "C",
    "scopes" JSONB,
    "assigneeId" TEXT COLLATE "C",
    "type" TEXT NOT NULL,
    "title" TEXT,
    "status" "TaskStatus" NOT NULL DEFAULT 'PENDING',
    "progress" INTEGER NOT NULL DEFAULT 0,
    "parameters" JSON NOT NULL DEFAULT '{}',
    "result" JSON,
    "resultLocation" TEXT,
    "error" JSONB,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "maxAttempts" INTEGER NOT NULL DEFAULT 3,
    "priority" INTEGER NOT NULL DEFAULT 0,
    "runAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "dueAt" TIMESTAMPTZ(3),
    "concurrencyKey" TEXT,
    "leaseToken" TEXT,
    "leaseSeconds" INTEGER,
    "leaseExpiresAt" TIMESTAMPTZ(3),
    "startedAt" TIMESTAMPTZ(3),
    "finishedAt" TIMESTAMPTZ(3),
    "eventSeq" INTEGER NOT NULL DEFAULT 0,
    "reportedAt" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Task_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "TaskEvent" (
    "taskId" TEXT COLLATE "C" NOT NULL,
    "seq" INTEGER NOT NULL,
    "txid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "kind" "TaskEventKind" NOT NULL,
    "status" "TaskStatus",
    "attempt" INTEGER NOT NULL,
    "progress" INTEGER NOT NULL,
    "payload" JSON NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "TaskEvent_pkey" PRIMARY KEY ("taskId","seq")
);

-- CreateIndex
CREATE INDEX "Task_spaceId_createdAt_id_idx" ON "Task"("spaceId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Task_spaceId_status_createdAt_id_idx" ON "Task"("spaceId", "status", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Task_spaceId_type_createdAt_id_idx" ON "Task"("spaceId", "type", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Task_spaceId_assigneeId_createdAt_id_idx" ON "Task"("spaceId", "assigneeId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Task_spaceId_updatedAt_id_idx" ON "Task"("spaceId", "updatedAt", "id");

-- CreateIndex
CREATE INDEX "Task_spaceId_priority_id_idx" ON "Task"("spaceId", "priority", "id");

-- CreateIndex
CREATE INDEX "Task_ownerId_createdAt_id_idx" ON "Task"("ownerId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Task_ownerId_status_createdAt_id_idx" ON "Task"("ownerId", "status", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Task_assigneeId_createdAt_id_idx" ON "Task"("assigneeId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Task_assigneeId_status_createdAt_id_idx" ON "Task"("assigneeId", "status", "createdAt", "id");

-- AddForeignKey
ALTER TABLE "Task" ADD CONSTRAINT "Task_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Task" ADD CONSTRAINT "Task_ownerId_fkey" FOREIGN KEY ("ownerId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- Who leaves a space is no longer assigned its tasks, which stay in it.
ALTER TABLE "Task" ADD CONSTRAINT "Task_spaceId_assigneeId_fkey" FOREIGN KEY ("spaceId", "assigneeId") REFERENCES "SpaceMember"("spaceId", "userId") ON DELETE SET NULL ("assigneeId") ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TaskEvent" ADD CONSTRAINT "TaskEvent_taskId_fkey" FOREIGN KEY ("taskId") REFERENCES "Task"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "Task" ADD CONSTRAINT "Task_bounds"
    CHECK ("progress" BETWEEN 0 AND 100 AND "attempt" >= 0 AND "maxAttempts" BETWEEN 1 AND 20 AND "priority" BETWEEN -100 AND 100);

-- A lease is whole, and held by a running task alone.
ALTER TABLE "Task" ADD CONSTRAINT "Task_lease"
    CHECK (num_nulls("leaseToken", "leaseSeconds", "leaseExpiresAt") IN (0, 3) AND ("leaseToken" IS NULL OR "status" = 'RUNNING'));

-- Which statuses follow which, whoever writes.
CREATE FUNCTION canopy_guard_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW."status" <> ALL (CASE OLD."status"
        WHEN 'PENDING' THEN ARRAY['QUEUED', 'RUNNING', 'CANCELLED']
        WHEN 'QUEUED' THEN ARRAY['RUNNING', 'CANCELLED']
        WHEN 'RUNNING' THEN ARRAY['COMPLETED', 'FAILED', 'CANCELLED', 'QUEUED', 'PENDING']
        WHEN 'FAILED' THEN ARRAY['PENDING', 'QUEUED']
        WHEN 'CANCELLED' THEN ARRAY['PENDING', 'QUEUED']
        ELSE ARRAY[]::text[] END::"TaskStatus"[])
    THEN
        RAISE EXCEPTION 'A task that is % cannot become %.', OLD."status", NEW."status"
            USING ERRCODE = 'check_violation', CONSTRAINT = 'Task_transition';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER "Task_transition" BEFORE UPDATE OF "status" ON "Task"
    FOR EACH ROW EXECUTE FUNCTION canopy_guard_task();

-- Of the tasks of a space with one key one runs at a time.
CREATE UNIQUE INDEX "Task_running_key" ON "Task" ("spaceId", "concurrencyKey")
    WHERE "status" = 'RUNNING' AND "concurrencyKey" IS NOT NULL;

-- What is next, for runners.
CREATE INDEX "Task_queued_idx" ON "Task" ("spaceId", "priority" DESC, "runAt", "id") WHERE "status" = 'QUEUED';

-- What may have lost its runner. Not by the end of the lease: then every heartbeat would have to change the index.
CREATE INDEX "Task_leased_idx" ON "Task" ("spaceId", "id") WHERE "leaseToken" IS NOT NULL;

-- Reports and heartbeats change no indexed column; with room on the page they change no index either.
ALTER TABLE "Task" SET (fillfactor = 80);
