-- What went for good and not everybody saw, for as long as events name it.

-- CreateTable
CREATE TABLE "Departed" (
    "id" TEXT COLLATE "C" NOT NULL,
    "least" "SpaceRole",
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Departed_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Departed_at_idx" ON "Departed"("at");
