-- Words without regard to accents, in one index with the space; all three come with Postgres and may be created by the owner of a database.
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

-- English, and crème is creme.
CREATE TEXT SEARCH CONFIGURATION canopy (COPY = english);
ALTER TEXT SEARCH CONFIGURATION canopy ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;

-- CreateTable
CREATE TABLE "SearchText" (
    "resourceId" TEXT COLLATE "C" NOT NULL,
    "resourceType" TEXT NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "title" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "contentHash" TEXT NOT NULL,
    "tsv" tsvector NOT NULL,
    "indexedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "version" INTEGER NOT NULL DEFAULT 0,
    "isUnreadable" BOOLEAN NOT NULL DEFAULT false,
    "model" TEXT,

    CONSTRAINT "SearchText_pkey" PRIMARY KEY ("resourceId")
);

-- CreateTable
CREATE TABLE "SearchWord" (
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "word" TEXT NOT NULL,

    CONSTRAINT "SearchWord_pkey" PRIMARY KEY ("spaceId","word")
);

-- CreateTable
CREATE TABLE "Embedding" (
    "resourceId" TEXT COLLATE "C" NOT NULL,
    "chunk" INTEGER NOT NULL,
    "model" TEXT NOT NULL,
    "contentHash" TEXT NOT NULL,
    "start" INTEGER NOT NULL,
    "length" INTEGER NOT NULL,

    CONSTRAINT "Embedding_pkey" PRIMARY KEY ("resourceId","chunk")
);

-- CreateTable
CREATE TABLE "Vector" (
    "namespace" TEXT NOT NULL,
    "resourceId" TEXT COLLATE "C" NOT NULL,
    "chunk" INTEGER NOT NULL,
    "resourceType" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "numbers" BYTEA NOT NULL,
    "revision" BIGINT NOT NULL,

    CONSTRAINT "Vector_pkey" PRIMARY KEY ("namespace","resourceId","chunk")
);

-- CreateTable
CREATE TABLE "VectorNamespace" (
    "namespace" TEXT NOT NULL,
    "revision" BIGINT NOT NULL,
    "removals" BIGINT NOT NULL,

    CONSTRAINT "VectorNamespace_pkey" PRIMARY KEY ("namespace")
);

-- CreateIndex
CREATE INDEX "SearchText_spaceId_resourceType_resourceId_idx" ON "SearchText"("spaceId", "resourceType", "resourceId");

-- CreateIndex
CREATE INDEX "SearchText_model_resourceId_idx" ON "SearchText"("model", "resourceId");

-- CreateIndex
CREATE INDEX "Vector_namespace_revision_resourceId_chunk_idx" ON "Vector"("namespace", "revision", "resourceId", "chunk");

-- AddForeignKey
ALTER TABLE "SearchText" ADD CONSTRAINT "SearchText_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SearchWord" ADD CONSTRAINT "SearchWord_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Embedding" ADD CONSTRAINT "Embedding_resourceId_fkey" FOREIGN KEY ("resourceId") REFERENCES "SearchText"("resourceId") ON DELETE CASCADE ON UPDATE CASCADE;

-- Every search asks for a space and some words at once. Without a list of pending entries, which each search would have to read through. The
-- conditions of both indexes always hold; Prisma, which knows no such index, leaves indexes with a condition alone.
CREATE INDEX "SearchText_spaceId_tsv_idx" ON "SearchText" USING GIN ("spaceId", "tsv") WITH (fastupdate = off) WHERE "spaceId" IS NOT NULL;

-- Words that look like another one, in the same way.
CREATE INDEX "SearchWord_spaceId_word_idx" ON "SearchWord" USING GIN ("spaceId", "word" gin_trgm_ops) WITH (fastupdate = off) WHERE "spaceId" IS NOT NULL;
