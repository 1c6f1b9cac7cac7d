// What `marketfinder publish convex` calls. Internal mutations: only a deploy key may.
// Every call says which publication it is of, a number that grows: one that comes late, after a newer
// publication has begun, changes nothing. Within a publication a call may come twice.
import { ConvexError, v } from "convex/values";
import type { WithOptionalSystemFields, WithoutSystemFields } from "convex/server";
import type { Doc, Id } from "./_generated/dataModel";
import { internalMutation, type MutationCtx } from "./_generated/server";
import { market, opportunity, similarity, syncLog } from "./schema";

const table = v.union(
  v.literal("markets"),
  v.literal("marketSimilarities"),
  v.literal("arbitrageOpportunities"),
  v.literal("syncLogs"),
);
type Table = typeof table.type;
// Of every call. Simulated data never come in the place of live ones, nor the other way round.
const call = { publication: v.number(), isSimulated: v.boolean() };
const REMOVED_AT_ONCE = 200;

export const upsertMarkets = internalMutation({
  args: { ...call, documents: v.array(v.object(market)) },
  handler: async (ctx, { publication, isSimulated, documents }) => {
    await begun(ctx, publication, isSimulated);
    for (const document of documents)
      await put(ctx, "markets", document.marketId, { ...document, publication });
  },
});

export const upsertSimilarities = internalMutation({
  args: { ...call, documents: v.array(v.object(similarity)) },
  handler: async (ctx, { publication, isSimulated, documents }) => {
    await begun(ctx, publication, isSimulated);
    for (const document of documents)
      await put(ctx, "marketSimilarities", document.pairId, { ...document, publication });
  },
});

export const upsertOpportunities = internalMutation({
  args: { ...call, documents: v.array(v.object(opportunity)) },
  handler: async (ctx, { publication, isSimulated, documents }) => {
    await begun(ctx, publication, isSimulated);
    for (const document of documents)
      await put(ctx, "arbitrageOpportunities", document.opportunityId, { ...document, publication });
  },
});

export const upsertSyncLogs = internalMutation({
  args: { ...call, documents: v.array(v.object(syncLog)) },
  handler: async (ctx, { publication, isSimulated, documents }) => {
    await begun(ctx, publication, isSimulated);
    for (const document of documents)
      await put(ctx, "syncLogs", document.syncId, { ...document, publication });
  },
});

// What is not in gold any more.
export const remove = internalMutation({
  args: { ...call, table, ids: v.array(v.string()) },
  handler: async (ctx, { publication, isSimulated, table, ids }) => {
    await begun(ctx, publication, isSimulated);
    for (const id of ids) {
      const known = await find(ctx, table, id);
      if (known) await ctx.db.delete(known._id);
    }
  },
});

// After everything was sent: what is of a publication before is in gold no more. Called again until
// nothing is left to remove.
export const removeOlder = internalMutation({
  args: { ...call, table, before: v.number() },
  handler: async (ctx, { publication, isSimulated, table, before }) => {
    await begun(ctx, publication, isSimulated);
    const older = await ctx.db
      .query(table)
      .withIndex("by_publication", (q) => q.lt("publication", before))
      .take(REMOVED_AT_ONCE);
    for (const document of older) await ctx.db.delete(document._id);
    return older.length;
  },
});

// The last call. `after` are the publications that may have been the last complete one, as far as the
// publisher knows. If none of them was, the answer is false, and it sends everything.
export const writeSyncStatus = internalMutation({
  args: {
    ...call,
    after: v.array(v.number()),
    isFull: v.boolean(),
    runId: v.union(v.string(), v.null()),
  },
  handler: async (ctx, { publication, isSimulated, after, isFull, runId }) => {
    const status = await begun(ctx, publication, isSimulated);
    const known: (number | null)[] = [...after, publication];
    if (!isFull && !known.includes(status.completed)) return false;
    await ctx.db.patch(status._id, { completed: publication, runId, completedAt: Date.now() });
    return true;
  },
});

// Notes that a publication has begun. Throws, and so undoes the call, when a newer one has, or what is
// here is of the other kind.
async function begun(
  ctx: MutationCtx,
  publication: number,
  isSimulated: boolean,
): Promise<Doc<"syncStatus">> {
  const status = await ctx.db.query("syncStatus").unique();
  if (status && (status.isSimulated ?? false) !== isSimulated)
    throw new ConvexError(
      isSimulated
        ? "this deployment holds live data, and these are simulated"
        : "this deployment holds simulated data, and these are live",
    );
  if (status && status.publication > publication)
    throw new ConvexError(`a newer publication, ${status.publication}, has begun`);
  if (status && status.publication < publication)
    await ctx.db.patch(status._id, { publication });
  if (status) return status;
  const none = { completed: null, runId: null, completedAt: null };
  const first = { publication, isSimulated, ...none };
  return (await ctx.db.get(await ctx.db.insert("syncStatus", first)))!;
}

async function put<T extends Table>(
  ctx: MutationCtx,
  table: T,
  id: string,
  document: WithoutSystemFields<Doc<T>> & WithOptionalSystemFields<Doc<T>>,
) {
  const known = await find(ctx, table, id);
  if (known) await ctx.db.replace(known._id as Id<T>, document);
  else await ctx.db.insert(table, document);
}

function find(ctx: MutationCtx, table: Table, id: string): Promise<Doc<Table> | null> {
  const db = ctx.db;
  switch (table) {
    case "markets":
      return db.query(table).withIndex("by_key", (q) => q.eq("marketId", id)).unique();
    case "marketSimilarities":
      return db.query(table).withIndex("by_key", (q) => q.eq("pairId", id)).unique();
    case "arbitrageOpportunities":
      return db.query(table).withIndex("by_key", (q) => q.eq("opportunityId", id)).unique();
    case "syncLogs":
      return db.query(table).withIndex("by_key", (q) => q.eq("syncId", id)).unique();
  }
}
