/**
 * Facts that are dear to fetch and rarely change (roles, keys, sessions), remembered until an event says that they
 * changed. Each fact is filed under tags: ids of what it depends on. Only trusted while `fresh` says that this process
 * hears of events; otherwise every call fetches.
 */
export interface Memory {
  /** The fact of this name, fetched when it is not known. Callers of one moment share one fetch. */
  recall<T>(name: string, fetch: () => Promise<Fact<T>>): Promise<T>;
  /** Drops every fact filed under one of these tags; fetches under way are not remembered either. */
  forget(tags: Iterable<string>): void;
  forgetAll(): void;
}

/** A value and what it depends on. */
export interface Fact<T> {
  readonly value: T;
  readonly tags: readonly string[];
}

const maxFacts = 20_000;
const maxAgeMs = 60_000;

interface Entry {
  readonly tags: readonly string[];
  readonly value: unknown;
  readonly until: number;
}

/** A memory of this process. `fresh` is asked at every recall. */
export function eventMemory(fresh: () => boolean): Memory {
  const facts = new Map<string, Entry>();
  const byTag = new Map<string, Set<string>>();
  const fetching = new Map<string, Promise<unknown>>();
  let era = 0;

  function drop(name: string) {
    for (const tag of facts.get(name)?.tags ?? []) {
      const names = byTag.get(tag);
      names?.delete(name);
      if (names?.size === 0) byTag.delete(tag);
    }
    facts.delete(name);
  }

  function keep(name: string, fact: Fact<unknown>) {
    drop(name);
    if (facts.size >= maxFacts) drop(facts.keys().next().value as string);
    facts.set(name, { ...fact, until: Date.now() + maxAgeMs });
    for (const tag of fact.tags) {
      const names = byTag.get(tag);
      if (names) names.add(name);
      else byTag.set(tag, new Set([name]));
    }
  }

  async function fetchOnce<T>(name: string, fetch: () => Promise<Fact<T>>): Promise<T> {
    const begun = era;
    const fact = await fetch();
    // What was forgotten while we fetched may be what we fetched.
    if (begun === era && fresh()) keep(name, fact);
    return fact.value;
  }

  function startEra() {
    era += 1;
    fetching.clear();
  }

  return {
    async recall<T>(name: string, fetch: () => Promise<Fact<T>>) {
      if (!fresh()) return (await fetch()).value;
      const known = facts.get(name);
      if (known && known.until > Date.now()) return known.value as T;
      const underWay = fetching.get(name) as Promise<T> | undefined;
      if (underWay) return underWay;
      const promise = fetchOnce(name, fetch).finally(() => {
        if (fetching.get(name) === promise) fetching.delete(name);
      });
      fetching.set(name, promise);
      return promise;
    },
    forget(tags) {
      startEra();
      for (const tag of tags) for (const name of [...(byTag.get(tag) ?? [])]) drop(name);
    },
    forgetAll() {
      startEra();
      facts.clear();
      byTag.clear();
    },
  };
}
