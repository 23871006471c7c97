-- Pieces of messages that come over WebSockets in several frames, to any server.

-- CreateTable
CREATE TABLE "MessageChunk" (
    "messageId" TEXT COLLATE "C" NOT NULL,
    "chunkIndex" INTEGER NOT NULL,
    "totalChunks" INTEGER NOT NULL,
    "chunkData" BYTEA NOT NULL,
    "sender" TEXT COLLATE "C" NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "MessageChunk_pkey" PRIMARY KEY ("messageId", "chunkIndex")
);

-- CreateIndex
CREATE INDEX "MessageChunk_sender_idx" ON "MessageChunk"("sender");

-- CreateIndex
CREATE INDEX "MessageChunk_createdAt_idx" ON "MessageChunk"("createdAt");
