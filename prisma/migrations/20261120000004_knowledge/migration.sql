-- Notes, the keywords of things, and the links between them.
--
-- Written from prisma/models, then completed by hand at the end.

-- CreateEnum
CREATE TYPE "LinkStatus" AS ENUM ('PENDING', 'READY', 'FAILED');

-- CreateEnum
CREATE TYPE "LinkOrigin" AS ENUM ('MANUAL', 'AUTO');

-- CreateTable
CREATE TABLE "Note" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "authorId" TEXT COLLATE "C",
    "title" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "keywords" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "keywordsGiven" BOOLEAN NOT NULL DEFAULT false,
    "linkStatus" "LinkStatus" NOT NULL DEFAULT 'PENDING',
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Note_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Keyword" (
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "term" TEXT COLLATE "C" NOT NULL,
    "resourceType" TEXT NOT NULL,
    "resourceId" TEXT COLLATE "C" NOT NULL,
    "word" TEXT NOT NULL,

    CONSTRAINT "Keyword_pkey" PRIMARY KEY ("spaceId","term","resourceType","resourceId")
);

-- CreateTable
CREATE TABLE "Link" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "sourceType" TEXT NOT NULL,
    "sourceId" TEXT COLLATE "C" NOT NULL,
    "targetType" TEXT NOT NULL,
    "targetId" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT NOT NULL,
    "origin" "LinkOrigin" NOT NULL,
    "score" DOUBLE PRECISION,
    "rank" DOUBLE PRECISION NOT NULL GENERATED ALWAYS AS (coalesce("score", 1)) STORED,
    "sharedKeywords" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "createdById" TEXT COLLATE "C",
    "dismissedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Link_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Note_spaceId_id_idx" ON "Note"("spaceId", "id");

-- CreateIndex
CREATE INDEX "Note_spaceId_updatedAt_id_idx" ON "Note"("spaceId", "updatedAt", "id");

-- CreateIndex
CREATE INDEX "Note_authorId_spaceId_id_idx" ON "Note"("authorId", "spaceId", "id");

-- CreateIndex
CREATE INDEX "Note_authorId_spaceId_updatedAt_id_idx" ON "Note"("authorId", "spaceId", "updatedAt", "id");

-- CreateIndex
CREATE INDEX "Keyword_resourceId_idx" ON "Keyword"("resourceId");

-- CreateIndex
CREATE INDEX "Link_sourceId_rank_id_idx" ON "Link"("sourceId", "rank", "id");

-- CreateIndex
CREATE INDEX "Link_targetId_rank_id_idx" ON "Link"("targetId", "rank", "id");

-- CreateIndex
CREATE INDEX "Link_spaceId_idx" ON "Link"("spaceId");

-- CreateIndex
CREATE INDEX "Link_createdById_idx" ON "Link"("createdById");

-- CreateIndex
CREATE UNIQUE INDEX "Link_sourceId_targetId_kind_key" ON "Link"("sourceId", "targetId", "kind");

-- AddForeignKey
ALTER TABLE "Note" ADD CONSTRAINT "Note_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Note" ADD CONSTRAINT "Note_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Keyword" ADD CONSTRAINT "Keyword_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Link" ADD CONSTRAINT "Link_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Link" ADD CONSTRAINT "Link_createdById_fkey" FOREIGN KEY ("createdById") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- Nothing points to itself.
ALTER TABLE "Link" ADD CONSTRAINT "Link_two_ends" CHECK ("sourceId" <> "targetId");

-- What was discovered says how sure it is.
ALTER TABLE "Link" ADD CONSTRAINT "Link_score" CHECK (("score" BETWEEN 0 AND 1) AND ("origin" = 'MANUAL' OR "score" IS NOT NULL));

-- Discovery joins two things once, whichever of them it began with.
CREATE UNIQUE INDEX "Link_auto_pair_key"
    ON "Link" (least("sourceId", "targetId"), greatest("sourceId", "targetId")) WHERE "origin" = 'AUTO';
