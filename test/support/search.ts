import type { Person } from './world.js';

const query = `query ($text: String!, $spaceId: ID, $types: [SearchType!], $mode: SearchMode!, $first: Int, $after: String) {
  search(text: $text, spaceId: $spaceId, types: $types, mode: $mode, first: $first, after: $after) {
    nodes { score reasons highlights { field text matches { start end } } node { __typename id ... on TreeNode { path } } }
    pageInfo { hasNextPage endCursor }
    totalCount
    degraded
  }
}`;

/** What a search may be told besides its text. */
export interface SearchOptions {
  readonly spaceId?: string;
  readonly types?: readonly string[];
  readonly mode?: 'EXACT' | 'SEMANTIC' | 'HYBRID';
  readonly first?: number;
  readonly after?: string | null;
}

export const searchAs = (person: Person, text: string, options: SearchOptions = {}) =>
  person.run(query, { text, mode: 'HYBRID', ...options });

/** The paths of the tree nodes that are found, the best first. */
export async function pathsFound(person: Person, text: string, options: SearchOptions = {}): Promise<string[]> {
  const { data, errors } = await searchAs(person, text, options);
  if (errors.length > 0) throw new Error(errors[0].message);
  return data.search.nodes.map(({ node }: { node: { path: string } | null }) => node?.path);
}
