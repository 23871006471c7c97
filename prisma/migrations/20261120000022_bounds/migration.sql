-- Whose turn it is: while no task of a concurrency key runs, the first of each type that waits for it. Claims look at nothing else of a key.
ALTER TABLE "Task" ADD COLUMN "isNext" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "Task" ADD CONSTRAINT "Task_next" CHECK (NOT "isNext" OR ("status" = 'QUEUED' AND "concurrencyKey" IS NOT NULL));

UPDATE "Task" t SET "isNext" = true FROM (
    SELECT DISTINCT ON ("spaceId", "concurrencyKey", "type") "id" FROM "Task" q
    WHERE "status" = 'QUEUED' AND "concurrencyKey" IS NOT NULL AND NOT EXISTS (
        SELECT FROM "Task" r WHERE r."spaceId" = q."spaceId" AND r."concurrencyKey" = q."concurrencyKey" AND r."status" = 'RUNNING')
    ORDER BY "spaceId", "concurrencyKey", "type", "priority" DESC, "runAt", "id") first
WHERE first."id" = t."id";

-- What is next, for runners.
DROP INDEX "Task_queued_idx";
CREATE INDEX "Task_due_idx" ON "Task" ("spaceId", "priority" DESC, "runAt", "id")
    WHERE "status" = 'QUEUED' AND "type" <> 'manual' AND ("concurrencyKey" IS NULL OR "isNext");

-- What waits for a key, the first of each type first.
CREATE INDEX "Task_waiting_idx" ON "Task" ("spaceId", "concurrencyKey", "type", "priority" DESC, "runAt", "id")
    WHERE "status" = 'QUEUED' AND "concurrencyKey" IS NOT NULL;

-- Whose turn it is, of a key.
CREATE INDEX "Task_next_idx" ON "Task" ("spaceId", "concurrencyKey") WHERE "isNext";

-- What may have lost its runner, by ten seconds: of the reports within them none changes the index.
ALTER TABLE "Task" ADD COLUMN "leaseSlot" INTEGER GENERATED ALWAYS AS
    (floor(extract(epoch FROM "leaseExpiresAt" - timestamptz '2000-01-01 00:00:00+00') / 10)::integer) STORED;
DROP INDEX "Task_leased_idx";
CREATE INDEX "Task_leaseSlot_idx" ON "Task" ("spaceId", "leaseSlot") WHERE "leaseToken" IS NOT NULL;

-- How much room the logs and outputs of a history take, which has a bound.
ALTER TABLE "Task" ADD COLUMN "historyBytes" INTEGER NOT NULL DEFAULT 0;

-- Of what someone is assigned, what is not theirs anyway: whoever assigns themselves all they own would otherwise have all of it read for a page.
DROP INDEX "Task_assigneeId_createdAt_id_idx";
CREATE INDEX "Task_assigneeId_createdAt_id_idx" ON "Task" ("assigneeId", "createdAt", "id")
    WHERE "ownerId" IS DISTINCT FROM "assigneeId";
DROP INDEX "Task_assigneeId_status_createdAt_id_idx";
CREATE INDEX "Task_assigneeId_status_createdAt_id_idx" ON "Task" ("assigneeId", "status", "createdAt", "id")
    WHERE "ownerId" IS DISTINCT FROM "assigneeId";

-- Uploads under way, which are counted for their bounds.
CREATE INDEX "UploadSession_open_idx" ON "UploadSession" ("spaceId", "createdById") WHERE "status" IN ('OPEN', 'CHECKING');
