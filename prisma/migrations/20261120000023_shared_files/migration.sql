-- In which spaces of an organization there is something for all its members is asked with each search of everything.
CREATE INDEX "File_shared_idx" ON "File" ("spaceId") WHERE visibility IN ('ORGANIZATION', 'PUBLIC') AND "deletedAt" IS NULL;

-- A PRIVATE file keeps its name from nobody who does not see it: to be refused would tell them that it is there.
CREATE UNIQUE INDEX "File_spaceId_path_shown_key" ON "File" ("spaceId", path, (CASE WHEN visibility = 'PRIVATE' THEN id ELSE '' END))
  WHERE "deletedAt" IS NULL;
DROP INDEX "File_spaceId_path_key";

-- DropIndex
DROP INDEX "File_spaceId_parentPath_name_idx";

-- CreateIndex
CREATE INDEX "File_spaceId_parentPath_name_id_idx" ON "File"("spaceId", "parentPath", "name", "id");

-- AlterTable
ALTER TABLE "Departed" ADD COLUMN "alsoBy" TEXT COLLATE "C";
