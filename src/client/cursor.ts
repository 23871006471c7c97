/** What the field of a subscription delivers: something with a cursor, or the word that some was left out and where it begins. */
type Delivery = { readonly cursor: string } | { readonly resumeFrom: string };

/** Results of subscriptions that can be resumed: their document selects the `cursor` of all that it may deliver, and `resumeFrom` of Lagged. */
export type Deliveries = { readonly [field: string]: Delivery };

/** Variables of subscriptions that can be resumed: their document has `$after`. */
export type Resumable = { readonly after?: string | null | undefined };

/** A delivery's place: go on behind `cursor`, or again from `resumeFrom`. */
export function placeOf(result: Deliveries): Delivery {
  const [delivery] = Object.values(result);
  if (!delivery) throw new Error('A subscription delivers one field.');
  return delivery;
}

/** Tells what has been delivered before from what is new. */
export interface Delivered {
  /** Notes a delivery; false for one that was noted before. */
  isNew(delivery: Delivery): boolean;
}

/** As many as may come twice: those after the cursor that a server resumed from. */
const remembered = 2_000;

export function delivered(): Delivered {
  const seen = new Set<string>();
  return {
    isNew(delivery) {
      // A CaughtUp has the cursor of the event before it, and other fields.
      const key = `${'cursor' in delivery ? delivery.cursor : ''} ${Object.keys(delivery).join()}`;
      if (seen.has(key)) return false;
      seen.add(key);
      const [oldest] = seen;
      if (seen.size > remembered && oldest !== undefined) seen.delete(oldest);
      return true;
    },
  };
}
