import type { FormattedExecutionResult } from 'graphql';
import { createStore } from './store.js';

/** What the server sent, errors included. */
export type Answer = FormattedExecutionResult<Record<string, unknown>, unknown>;

/** One event of the running subscription, as it arrived. */
export interface LiveEvent {
  /** 1 for the first event of a subscription. */
  readonly number: number;
  readonly receivedAt: Date;
  readonly result: Answer;
}

/** How the subscription of the page is doing. */
export interface Live {
  readonly phase: 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'ended' | 'failed';
  /** What happened, in words; null when the phase says it all. */
  readonly note: string | null;
  /** Newest last; the oldest are dropped beyond `keptEvents`. */
  readonly events: readonly LiveEvent[];
  /** All events of this subscription, the dropped ones too. */
  readonly received: number;
}

/** A page that runs over night keeps this many events and no more. */
const keptEvents = 200;

const silent: Live = { phase: 'idle', note: null, events: [], received: 0 };

export const live = createStore<Live>(silent);

/** Forgets the events of the last subscription. */
export function clearLive(phase: Live['phase'] = 'idle'): void {
  live.set({ ...silent, phase });
}

export function setPhase(phase: Live['phase'], note: string | null = null): void {
  live.set({ ...live.get(), phase, note });
}

export function addEvent(result: Answer): void {
  const before = live.get();
  const received = before.received + 1;
  const event = { number: received, receivedAt: new Date(), result };
  live.set({ ...before, received, events: [...before.events, event].slice(-keptEvents) });
}
