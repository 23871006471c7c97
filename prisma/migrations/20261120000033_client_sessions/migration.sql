-- Clients of people, and which of them are connected to which server now.

-- CreateTable
CREATE TABLE "ClientSession" (
    "id" TEXT COLLATE "C" NOT NULL,
    "userId" TEXT COLLATE "C" NOT NULL,
    "clientUuid" TEXT COLLATE "C" NOT NULL,
    "ticketHash" TEXT,
    "ticketExpiresAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "lastUsedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ClientSession_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ServerInstance" (
    "id" TEXT COLLATE "C" NOT NULL,
    "beatAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ServerInstance_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ClientConnection" (
    "id" TEXT COLLATE "C" NOT NULL,
    "sessionId" TEXT COLLATE "C" NOT NULL,
    "instanceId" TEXT COLLATE "C" NOT NULL,
    "connectedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ClientConnection_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "ClientSession_userId_clientUuid_key" ON "ClientSession"("userId", "clientUuid");

-- CreateIndex
CREATE INDEX "ClientSession_userId_lastUsedAt_id_idx" ON "ClientSession"("userId", "lastUsedAt", "id");

-- CreateIndex
CREATE INDEX "ClientSession_lastUsedAt_idx" ON "ClientSession"("lastUsedAt");

-- CreateIndex
CREATE INDEX "ClientConnection_sessionId_connectedAt_id_idx" ON "ClientConnection"("sessionId", "connectedAt", "id");

-- CreateIndex
CREATE INDEX "ClientConnection_instanceId_idx" ON "ClientConnection"("instanceId");

-- AddForeignKey
ALTER TABLE "ClientSession" ADD CONSTRAINT "ClientSession_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ClientConnection" ADD CONSTRAINT "ClientConnection_sessionId_fkey" FOREIGN KEY ("sessionId") REFERENCES "ClientSession"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ClientConnection" ADD CONSTRAINT "ClientConnection_instanceId_fkey" FOREIGN KEY ("instanceId") REFERENCES "ServerInstance"("id") ON DELETE CASCADE ON UPDATE CASCADE;
