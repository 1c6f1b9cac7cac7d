// The tables that `marketfinder publish convex` fills. Moments are milliseconds since 1970, UTC; money
// is USD as a number, which Convex rounds to 15 digits. null means: not known.
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

const text = v.union(v.string(), v.null());
const number = v.union(v.number(), v.null());

export const market = {
  marketId: v.string(),
  platform: v.string(),
  externalId: v.string(),
  url: text,
  title: text,
  description: text,
  category: text,
  eventType: text,
  outcomes: v.array(
    v.object({
      label: text,
      tokenId: text,
      bidPrice: number,
      askPrice: number,
      askSize: number,
    }),
  ),
  endDate: number,
  volume: number,
  liquidity: number,
  isActive: v.union(v.boolean(), v.null()),
  tags: v.array(v.string()),
  processedAt: number,
};

export const similarity = {
  pairId: v.string(),
  market1Id: v.string(),
  market2Id: v.string(),
  platform1: v.string(),
  platform2: v.string(),
  // Only an "equal" pair is the same contract, and not where it is "correlated" (another index decides);
  // "raised" is the judge's opinion alone. Confidence says none of that.
  relation: v.string(),
  orientation: text,
  fungibility: text,
  tier: v.string(),
  judgeEffect: v.string(),
  confidence: number,
  reasoning: text,
  analyzedAt: number,
};

export const opportunity = {
  opportunityId: v.string(),
  pairId: v.string(),
  relation: v.string(),
  direction: v.string(),
  buyMarketId: v.string(),
  sellMarketId: v.string(),
  buyPlatform: v.string(),
  sellPlatform: v.string(),
  buyOutcome: text,
  sellOutcome: text,
  buyTokenId: text,
  sellTokenId: text,
  contracts: number,
  cost: number,
  profit: number,
  profitMargin: number,
  confidence: number,
  status: v.string(),
  statusReasons: v.array(v.string()),
  detectedAt: number,
  // Its figures are those of detectedAt; not to be traded any more after this.
  quotesExpireAt: number,
};

export const syncLog = {
  syncId: v.string(),
  outcome: text,
  marketsProcessed: number,
  opportunitiesFound: number,
  errors: v.array(v.string()),
  duration: number,
  timestamp: number,
};

export default defineSchema({
  markets: defineTable({ ...market, publication: v.number() })
    .index("by_key", ["marketId"])
    .index("by_publication", ["publication"]),
  marketSimilarities: defineTable({ ...similarity, publication: v.number() })
    .index("by_key", ["pairId"])
    .index("by_publication", ["publication"]),
  arbitrageOpportunities: defineTable({ ...opportunity, publication: v.number() })
    .index("by_key", ["opportunityId"])
    .index("by_publication", ["publication"]),
  syncLogs: defineTable({ ...syncLog, publication: v.number() })
    .index("by_key", ["syncId"])
    .index("by_publication", ["publication"]),
  // One row: the newest publication that has begun, the newest that is complete, and its run; whether a
  // simulator made up what is here (then nothing of it can be traded; absent before it was told).
  syncStatus: defineTable({
    publication: v.number(),
    isSimulated: v.optional(v.boolean()),
    completed: v.union(v.number(), v.null()),
    runId: text,
    completedAt: number,
  }),
});
