-- Chats, their messages, and how messages are written piece by piece.

-- CreateEnum
CREATE TYPE "MessageRole" AS ENUM ('SYSTEM', 'USER', 'ASSISTANT', 'TOOL');

-- CreateEnum
CREATE TYPE "MessageStatus" AS ENUM ('STREAMING', 'COMPLETE', 'FAILED', 'CANCELLED');

-- CreateTable
CREATE TABLE "Chat" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "ownerId" TEXT COLLATE "C",
    "title" TEXT NOT NULL,
    "context" JSON NOT NULL DEFAULT '{}',
    "summary" TEXT,
    "summarySeq" INTEGER NOT NULL DEFAULT 0,
    "lastSeq" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 1,
    "archivedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Chat_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Message" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "chatId" TEXT COLLATE "C" NOT NULL,
    "seq" INTEGER NOT NULL,
    "role" "MessageRole" NOT NULL,
    "parts" JSON NOT NULL,
    "status" "MessageStatus" NOT NULL DEFAULT 'COMPLETE',
    "authorId" TEXT COLLATE "C",
    "replyToId" TEXT COLLATE "C",
    "clientMessageId" TEXT COLLATE "C",
    "metadata" JSON,
    "usage" JSON,
    "failure" TEXT,
    "completedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Message_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ChatStream" (
    "id" TEXT COLLATE "C" NOT NULL,
    "spaceId" TEXT COLLATE "C" NOT NULL,
    "chatId" TEXT COLLATE "C" NOT NULL,
    "messageId" TEXT COLLATE "C" NOT NULL,
    "messageSeq" INTEGER NOT NULL,
    "status" "MessageStatus" NOT NULL DEFAULT 'STREAMING',
    "writerId" TEXT COLLATE "C",
    "lastSeq" INTEGER NOT NULL DEFAULT 0,
    "sizeBytes" INTEGER NOT NULL DEFAULT 0,
    "keepsChunks" BOOLEAN NOT NULL DEFAULT true,
    "leaseExpiresAt" TIMESTAMPTZ(3) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "closedAt" TIMESTAMPTZ(3),

    CONSTRAINT "ChatStream_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ChatStreamChunk" (
    "streamId" TEXT COLLATE "C" NOT NULL,
    "seq" INTEGER NOT NULL,
    "delta" JSON NOT NULL,

    CONSTRAINT "ChatStreamChunk_pkey" PRIMARY KEY ("streamId","seq")
);

-- CreateIndex
CREATE INDEX "Chat_spaceId_updatedAt_id_idx" ON "Chat"("spaceId", "updatedAt", "id");

-- CreateIndex
CREATE INDEX "Chat_spaceId_id_idx" ON "Chat"("spaceId", "id");

-- CreateIndex
CREATE INDEX "Chat_ownerId_idx" ON "Chat"("ownerId");

-- CreateIndex
CREATE INDEX "Message_spaceId_idx" ON "Message"("spaceId");

-- CreateIndex
CREATE INDEX "Message_authorId_idx" ON "Message"("authorId");

-- CreateIndex
CREATE INDEX "Message_replyToId_idx" ON "Message"("replyToId");

-- CreateIndex
CREATE UNIQUE INDEX "Message_chatId_seq_key" ON "Message"("chatId", "seq");

-- CreateIndex
CREATE UNIQUE INDEX "Message_chatId_clientMessageId_key" ON "Message"("chatId", "clientMessageId");

-- CreateIndex
CREATE UNIQUE INDEX "ChatStream_messageId_key" ON "ChatStream"("messageId");

-- CreateIndex
CREATE INDEX "ChatStream_chatId_messageSeq_idx" ON "ChatStream"("chatId", "messageSeq");

-- CreateIndex
CREATE INDEX "ChatStream_spaceId_idx" ON "ChatStream"("spaceId");

-- AddForeignKey
ALTER TABLE "Chat" ADD CONSTRAINT "Chat_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Chat" ADD CONSTRAINT "Chat_ownerId_fkey" FOREIGN KEY ("ownerId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Message" ADD CONSTRAINT "Message_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Message" ADD CONSTRAINT "Message_chatId_fkey" FOREIGN KEY ("chatId") REFERENCES "Chat"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Message" ADD CONSTRAINT "Message_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Message" ADD CONSTRAINT "Message_replyToId_fkey" FOREIGN KEY ("replyToId") REFERENCES "Message"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ChatStream" ADD CONSTRAINT "ChatStream_spaceId_fkey" FOREIGN KEY ("spaceId") REFERENCES "Space"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ChatStream" ADD CONSTRAINT "ChatStream_chatId_fkey" FOREIGN KEY ("chatId") REFERENCES "Chat"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ChatStream" ADD CONSTRAINT "ChatStream_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ChatStreamChunk" ADD CONSTRAINT "ChatStreamChunk_streamId_fkey" FOREIGN KEY ("streamId") REFERENCES "ChatStream"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- One message of a chat is written at a time.
CREATE UNIQUE INDEX "ChatStream_chatId_streaming_key" ON "ChatStream" ("chatId") WHERE "status" = 'STREAMING';

-- What is to be given up, and whose chunks are to go.
CREATE INDEX "ChatStream_leaseExpiresAt_idx" ON "ChatStream" ("leaseExpiresAt") WHERE "status" = 'STREAMING';
CREATE INDEX "ChatStream_closedAt_idx" ON "ChatStream" ("closedAt") WHERE "keepsChunks" AND "closedAt" IS NOT NULL;

-- A stream is closed when its message is finished.
ALTER TABLE "ChatStream" ADD CONSTRAINT "ChatStream_closed"
    CHECK (("status" = 'STREAMING') = ("closedAt" IS NULL));
ALTER TABLE "Message" ADD CONSTRAINT "Message_completed"
    CHECK (("status" = 'STREAMING') = ("completedAt" IS NULL));

-- What was said stays as it was said, whichever code is at it.
CREATE FUNCTION canopy_refuse_message_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Message % is finished and does not change', OLD.id USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER "Message_finished" BEFORE UPDATE OF "parts", "status", "seq", "role" ON "Message"
    FOR EACH ROW WHEN (OLD."status" <> 'STREAMING') EXECUTE FUNCTION canopy_refuse_message_change();

-- The heartbeat of a stream changes no indexed column but the lease; deltas come often, so there is room on the page.
ALTER TABLE "ChatStream" SET (fillfactor = 70);
