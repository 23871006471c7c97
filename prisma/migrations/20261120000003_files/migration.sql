-- Files: folders, files and their versions, uploads on their way, and what is granted beside the roles.

-- CreateEnum
CREATE TYPE "Visibility" AS ENUM ('PRIVATE', 'SPACE', 'ORGANIZATION', 'PUBLIC');

-- CreateEnum
CREATE TYPE "FileStatus" AS ENUM ('READY', 'FAILED', 'RESTORING');

-- CreateEnum
CREATE TYPE "StorageTier" AS ENUM ('HOT', 'WARM', 'COLD');

-- CreateEnum
CREATE TYPE "UploadStatus" AS ENUM ('OPEN', 'CHECKING', 'COMPLETED', 'REJECTED', 'ABORTED');

-- CreateEnum
CREATE TYPE "GrantPrincipal" AS ENUM ('USER', 'LINK');

-- CreateEnum
CREATE TYPE "GrantPermission" AS ENUM ('READ', 'WRITE');

-- CreateTable
CREATE TABLE "Folder" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "parentId" TEXT COLLATE "C",
    "path" TEXT COLLATE "C" NOT NULL,
    "parentPath" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdById" TEXT COLLATE "C",
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Folder_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "File" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "folderId" TEXT COLLATE "C",
    "ownerId" TEXT COLLATE "C",
    "path" TEXT COLLATE "C" NOT NULL,
    "parentPath" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "mimeType" TEXT NOT NULL,
    "sizeBytes" BIGINT NOT NULL,
    "checksum" TEXT NOT NULL,
    "visibility" "Visibility" NOT NULL DEFAULT 'SPACE',
    "status" "FileStatus" NOT NULL DEFAULT 'READY',
    "currentVersionId" TEXT COLLATE "C",
    "version" INTEGER NOT NULL DEFAULT 1,
    "deletedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "File_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "FileVersion" (
    "id" TEXT COLLATE "C" NOT NULL,
    "fileId" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "number" INTEGER NOT NULL,
    "mimeType" TEXT NOT NULL,
    "sizeBytes" BIGINT NOT NULL,
    "checksum" TEXT NOT NULL,
    "storageTier" "StorageTier" NOT NULL DEFAULT 'HOT',
    "lastUsedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "uploadedById" TEXT COLLATE "C",
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "FileVersion_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "UploadSession" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "folderId" TEXT COLLATE "C",
    "fileId" TEXT COLLATE "C" NOT NULL,
    "versionId" TEXT COLLATE "C" NOT NULL,
    "isNew" BOOLEAN NOT NULL,
    "name" TEXT NOT NULL,
    "mimeType" TEXT NOT NULL,
    "sizeBytes" BIGINT NOT NULL,
    "checksum" TEXT NOT NULL,
    "visibility" "Visibility" NOT NULL,
    "multipartId" TEXT COLLATE "C",
    "parts" JSONB NOT NULL DEFAULT '{}',
    "status" "UploadStatus" NOT NULL DEFAULT 'OPEN',
    "fault" TEXT,
    "createdById" TEXT COLLATE "C",
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "UploadSession_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AccessGrant" (
    "id" TEXT COLLATE "C" NOT NULL,
    "fileId" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "principal" "GrantPrincipal" NOT NULL,
    "userId" TEXT COLLATE "C",
    "tokenHash" TEXT,
    "permission" "GrantPermission" NOT NULL,
    "expiresAt" TIMESTAMPTZ(3),
    "createdById" TEXT COLLATE "C",
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "AccessGrant_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Folder_spaceId_parentPath_name_idx" ON "Folder"("spaceId", "parentPath", "name");

-- CreateIndex
CREATE INDEX "Folder_parentId_idx" ON "Folder"("parentId");

-- CreateIndex
CREATE INDEX "Folder_createdById_idx" ON "Folder"("createdById");

-- CreateIndex
CREATE UNIQUE INDEX "Folder_spaceId_path_key" ON "Folder"("spaceId", "path");

-- CreateIndex
CREATE INDEX "File_spaceId_createdAt_id_idx" ON "File"("spaceId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "File_spaceId_ownerId_createdAt_id_idx" ON "File"("spaceId", "ownerId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "File_spaceId_parentPath_name_idx" ON "File"("spaceId", "parentPath", "name");

-- CreateIndex
CREATE INDEX "File_spaceId_mimeType_createdAt_id_idx" ON "File"("spaceId", "mimeType", "createdAt", "id");

-- CreateIndex
CREATE INDEX "File_folderId_idx" ON "File"("folderId");

-- CreateIndex
CREATE INDEX "File_ownerId_idx" ON "File"("ownerId");

-- CreateIndex
CREATE INDEX "FileVersion_spaceId_fileId_id_idx" ON "FileVersion"("spaceId", "fileId", "id");

-- CreateIndex
CREATE INDEX "FileVersion_uploadedById_idx" ON "FileVersion"("uploadedById");

-- CreateIndex
CREATE INDEX "FileVersion_storageTier_lastUsedAt_idx" ON "FileVersion"("storageTier", "lastUsedAt");

-- CreateIndex
CREATE UNIQUE INDEX "FileVersion_fileId_number_key" ON "FileVersion"("fileId", "number");

-- CreateIndex
CREATE INDEX "UploadSession_spaceId_id_idx" ON "UploadSession"("spaceId", "id");

-- CreateIndex
CREATE INDEX "UploadSession_fileId_idx" ON "UploadSession"("fileId");

-- CreateIndex
CREATE INDEX "UploadSession_folderId_idx" ON "UploadSession"("folderId");

-- CreateIndex
CREATE INDEX "UploadSession_createdById_idx" ON "UploadSession"("createdById");

-- CreateIndex
CREATE INDEX "UploadSession_status_expiresAt_idx" ON "UploadSession"("status", "expiresAt");

-- CreateIndex
CREATE UNIQUE INDEX "AccessGrant_tokenHash_key" ON "AccessGrant"("tokenHash");

-- CreateIndex
CREATE INDEX "AccessGrant_fileId_id_idx" ON "AccessGrant"("fileId", "id");

-- CreateIndex
CREATE INDEX "AccessGrant_spaceId_idx" ON "AccessGrant"("spaceId");

-- CreateIndex
CREATE INDEX "AccessGrant_userId_idx" ON "AccessGrant"("userId");

-- CreateIndex
CREATE INDEX "AccessGrant_createdById_idx" ON "AccessGrant"("createdById");

-- CreateIndex
CREATE UNIQUE INDEX "AccessGrant_fileId_userId_key" ON "AccessGrant"("fileId", "userId");

-- AddForeignKey
ALTER TABLE "Folder" ADD CONSTRAINT "Folder_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Folder" ADD CONSTRAINT "Folder_parentId_fkey" FOREIGN KEY ("parentId") REFERENCES "Folder"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Folder" ADD CONSTRAINT "Folder_createdById_fkey" FOREIGN KEY ("createdById") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "File" ADD CONSTRAINT "File_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "File" ADD CONSTRAINT "File_folderId_fkey" FOREIGN KEY ("folderId") REFERENCES "Folder"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "File" ADD CONSTRAINT "File_ownerId_fkey" FOREIGN KEY ("ownerId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "FileVersion" ADD CONSTRAINT "FileVersion_fileId_fkey" FOREIGN KEY ("fileId") REFERENCES "File"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "FileVersion" ADD CONSTRAINT "FileVersion_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "FileVersion" ADD CONSTRAINT "FileVersion_uploadedById_fkey" FOREIGN KEY ("uploadedById") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "UploadSession" ADD CONSTRAINT "UploadSession_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "UploadSession" ADD CONSTRAINT "UploadSession_folderId_fkey" FOREIGN KEY ("folderId") REFERENCES "Folder"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "UploadSession" ADD CONSTRAINT "UploadSession_createdById_fkey" FOREIGN KEY ("createdById") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "AccessGrant" ADD CONSTRAINT "AccessGrant_fileId_fkey" FOREIGN KEY ("fileId") REFERENCES "File"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "AccessGrant" ADD CONSTRAINT "AccessGrant_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "AccessGrant" ADD CONSTRAINT "AccessGrant_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "AccessGrant" ADD CONSTRAINT "AccessGrant_createdById_fkey" FOREIGN KEY ("createdById") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;



-- One live file a path; of the deleted any number.
CREATE UNIQUE INDEX "File_spaceId_path_key" ON "File" ("spaceId", path) WHERE "deletedAt" IS NULL;

-- What is being cleared away, and what waits for its bytes: few of many.
CREATE INDEX "File_deletedAt_idx" ON "File" ("deletedAt") WHERE "deletedAt" IS NOT NULL;
CREATE INDEX "File_status_idx" ON "File" (status) WHERE status <> 'READY';

-- Nothing is no content.
ALTER TABLE "File" ADD CONSTRAINT "File_size" CHECK ("sizeBytes" > 0);
ALTER TABLE "UploadSession" ADD CONSTRAINT "UploadSession_size" CHECK ("sizeBytes" > 0);

-- A grant is to a person or to whoever has the link, and a link only reads.
ALTER TABLE "AccessGrant" ADD CONSTRAINT "AccessGrant_principal" CHECK (
    (principal = 'USER' AND "userId" IS NOT NULL AND "tokenHash" IS NULL)
    OR (principal = 'LINK' AND "userId" IS NULL AND "tokenHash" IS NOT NULL AND permission = 'READ' AND "expiresAt" IS NOT NULL));

-- What is given back was taken before.
ALTER TABLE "Space" ADD CONSTRAINT "Space_storage" CHECK ("storageUsed" >= 0);
