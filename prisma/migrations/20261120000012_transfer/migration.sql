-- CreateTable
CREATE TABLE "TaskObject" (
    "taskId" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT NOT NULL,
    "line" INTEGER,
    "objectId" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "TaskObject_pkey" PRIMARY KEY ("taskId","key")
);

-- AddForeignKey
ALTER TABLE "TaskObject" ADD CONSTRAINT "TaskObject_taskId_fkey" FOREIGN KEY ("taskId") REFERENCES "Task"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Links of a space are read from their first to their last, too.
DROP INDEX "Link_spaceId_idx";
CREATE INDEX "Link_spaceId_id_idx" ON "Link"("spaceId", "id");
