-- Posts with their views, and comments. Written from prisma/models; what Prisma cannot say is at the end.
-- `slug` compares by bytes, so that slugs with one beginning are a range of its index.

-- CreateTable
CREATE TABLE "Comment" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "subjectId" TEXT COLLATE "C" NOT NULL,
    "parentId" TEXT COLLATE "C",
    "authorId" TEXT COLLATE "C",
    "content" TEXT NOT NULL,
    "depth" INTEGER NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "deletedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Comment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Post" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "authorId" TEXT COLLATE "C",
    "slug" TEXT COLLATE "C" NOT NULL,
    "title" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "excerpt" TEXT,
    "summary" TEXT,
    "isPublished" BOOLEAN NOT NULL DEFAULT false,
    "publishedAt" TIMESTAMPTZ(3),
    "viewCount" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Post_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "PostView" (
    "postId" TEXT COLLATE "C" NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "viewerKey" TEXT NOT NULL,

    CONSTRAINT "PostView_pkey" PRIMARY KEY ("postId","hour","viewerKey")
);

-- CreateIndex
CREATE INDEX "Comment_spaceId_id_idx" ON "Comment"("spaceId", "id");

-- CreateIndex
CREATE INDEX "Comment_parentId_createdAt_id_idx" ON "Comment"("parentId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Comment_authorId_idx" ON "Comment"("authorId");

-- CreateIndex
CREATE INDEX "Post_spaceId_id_idx" ON "Post"("spaceId", "id");

-- CreateIndex
CREATE INDEX "Post_spaceId_publishedAt_id_idx" ON "Post"("spaceId", "publishedAt", "id");

-- CreateIndex
CREATE INDEX "Post_authorId_spaceId_id_idx" ON "Post"("authorId", "spaceId", "id");

-- CreateIndex
CREATE INDEX "Post_authorId_spaceId_publishedAt_id_idx" ON "Post"("authorId", "spaceId", "publishedAt", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Post_spaceId_slug_key" ON "Post"("spaceId", "slug");

-- CreateIndex
CREATE INDEX "PostView_hour_idx" ON "PostView"("hour");

-- AddForeignKey
ALTER TABLE "Comment" ADD CONSTRAINT "Comment_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Comment" ADD CONSTRAINT "Comment_parentId_fkey" FOREIGN KEY ("parentId") REFERENCES "Comment"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Comment" ADD CONSTRAINT "Comment_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Post" ADD CONSTRAINT "Post_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "PostView" ADD CONSTRAINT "PostView_postId_fkey" FOREIGN KEY ("postId") REFERENCES "Post"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Published is what has a time of publication.
ALTER TABLE "Post" ADD CONSTRAINT "Post_published_since"
    CHECK ("isPublished" = ("publishedAt" IS NOT NULL));

-- Views are counted in place: with room on the page that changes no index.
ALTER TABLE "Post" SET (fillfactor = 85);

-- A thread is at most eight replies deep.
ALTER TABLE "Comment" ADD CONSTRAINT "Comment_depth"
    CHECK ("depth" BETWEEN 0 AND 8 AND ("depth" = 0) = ("parentId" IS NULL));

-- A subject's own list; its replies hang on their parents.
CREATE INDEX "Comment_subjectId_createdAt_id_top_idx" ON "Comment" ("subjectId", "createdAt", "id") WHERE "parentId" IS NULL;
