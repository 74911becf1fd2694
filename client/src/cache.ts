/** What Apollo's cache must know of this server: which types are what, and how pages become one list. */
import type { FieldPolicy, InMemoryCacheConfig, Reference, StoreObject, TypePolicies } from '@apollo/client/cache';
import { connectionFields, possibleTypes, streamFields } from './schema-facts.ts';

type Stored = StoreObject | Reference;

interface PageInfo {
  readonly hasPreviousPage?: boolean;
  readonly hasNextPage?: boolean;
  readonly startCursor?: string | null;
  readonly endCursor?: string | null;
}

interface Page {
  readonly edges?: readonly Stored[];
  readonly nodes?: readonly Stored[];
  readonly pageInfo?: PageInfo;
}

/** An entry of a list, as far as it was asked for: by `edges`, by `nodes`, or by both. */
interface Entry {
  readonly cursor: string | undefined;
  readonly edge: Stored | undefined;
  readonly node: Stored | undefined;
}

/** All pages so far. `rest`: what else was selected, such as totalCount. */
interface Pages {
  readonly entries: readonly Entry[];
  readonly pageInfo: PageInfo | undefined;
  readonly rest: object;
}

/**
 * Relay's pages as one list that grows at both ends, by `fetchMore({ variables: { after } })` or `{ before }`. Unlike
 * Apollo's `relayStylePagination` it joins `nodes` as well as `edges`; a page that joins nothing begins the list anew.
 *
 * @param keyArgs the arguments that say which list it is, such as `where` and `orderBy`
 */
export function connectionPolicy(keyArgs: string[]): FieldPolicy<Pages, Page, object> {
  return {
    keyArgs,
    merge(existing, incoming, { args, readField }) {
      const page = entriesOf(incoming, (edge) => readField<string>('cursor', edge));
      const { before, after } = existing === undefined ? NOTHING : around(existing.entries, args);
      const { edges: _edges, nodes: _nodes, pageInfo, ...rest } = incoming;
      return {
        entries: [...before, ...page, ...after],
        pageInfo: joined({ page: pageInfo, all: existing?.pageInfo }, [before.length > 0, after.length > 0]),
        rest: { ...existing?.rest, ...rest },
      };
    },
    read(existing, { canRead, readField }) {
      if (existing === undefined) return undefined;
      const { entries, pageInfo, rest } = existing;
      const nodeOf = ({ node, edge }: Entry) => node ?? readField<Stored>('node', edge);
      // What was evicted from the cache leaves the list.
      const there = entries.filter((entry) => canRead(nodeOf(entry)));
      return {
        ...rest,
        edges: there.map((entry) => entry.edge ?? { node: nodeOf(entry), cursor: entry.cursor }),
        nodes: there.map(nodeOf),
        ...(pageInfo === undefined ? {} : { pageInfo }),
      };
    },
  };
}

const NOTHING = { before: [], after: [] };

function entriesOf({ edges, nodes, pageInfo }: Page, cursorOf: (edge: Stored) => string | undefined): Entry[] {
  const length = edges?.length ?? nodes?.length ?? 0;
  // The ends of a page are known also where the cursors of its entries were not asked for.
  const ends = new Map([
    [0, pageInfo?.startCursor ?? undefined],
    [length - 1, pageInfo?.endCursor ?? undefined],
  ]);
  return Array.from({ length }, (_, i) => {
    const edge = edges?.[i];
    const cursor = (edge === undefined ? undefined : cursorOf(edge)) ?? ends.get(i);
    return { cursor, edge, node: nodes?.[i] };
  });
}

/** What stays of the list before and after the page that was asked for. */
function around(entries: readonly Entry[], args: Record<string, unknown> | null) {
  const place = (cursor: unknown) =>
    entries.findIndex((entry) => entry.cursor !== undefined && entry.cursor === cursor);
  if (typeof args?.['after'] === 'string') return { before: entries.slice(0, place(args['after']) + 1), after: [] };
  if (typeof args?.['before'] !== 'string') return NOTHING;
  const first = place(args['before']);
  return { before: [], after: first < 0 ? [] : entries.slice(first) };
}

/** Each end of the list is told by the page that lies there. */
function joined(
  { page, all }: { readonly page: PageInfo | undefined; readonly all: PageInfo | undefined },
  [hasBefore, hasAfter]: readonly [boolean, boolean],
): PageInfo | undefined {
  if (page === undefined && !hasBefore && !hasAfter) return undefined;
  const start = hasBefore ? all : page;
  const end = hasAfter ? all : page;
  return {
    ...withoutEnds(all),
    ...withoutEnds(page),
    ...picked(start, ['hasPreviousPage', 'startCursor']),
    ...picked(end, ['hasNextPage', 'endCursor']),
  };
}

function withoutEnds(info: PageInfo = {}): object {
  const { hasPreviousPage: _before, hasNextPage: _after, startCursor: _start, endCursor: _end, ...rest } = info;
  return rest;
}

/** What was not asked for stays unknown: then the cache asks the server. */
function picked(info: PageInfo = {}, names: readonly (keyof PageInfo)[]): PageInfo {
  return Object.fromEntries(names.filter((name) => info[name] !== undefined).map((name) => [name, info[name]]));
}

function pages(): TypePolicies {
  const policies = Object.entries(connectionFields).map(([type, fields]) => {
    const named = Object.entries(fields).map(([field, keyArgs]) => [field, connectionPolicy(keyArgs)] as const);
    return [type, { fields: Object.fromEntries(named) }] as const;
  });
  return Object.fromEntries(policies);
}

const list: TypePolicies = pages();

/**
 * For `new InMemoryCache(cachePolicies)`. Everything with an id is kept once, whatever has told of it: a run that a
 * subscription reports on is the run that a query has shown.
 */
export const cachePolicies: Pick<InMemoryCacheConfig, 'possibleTypes' | 'typePolicies'> = {
  possibleTypes,
  typePolicies: {
    ...list,
    Query: {
      fields: {
        ...list['Query']?.fields,
        trainingRun: {
          read: (existing: Reference | undefined, { args, toReference }) =>
            existing ?? toReference({ __typename: 'TrainingRun', id: args?.['id'] }),
        },
        viewer: { merge: true },
      },
    },
    Viewer: { keyFields: [] },
    TrainingRun: {
      fields: {
        ...list['TrainingRun']?.fields,
        // Each answer holds all of them.
        metrics: { merge: false },
        measures: { merge: false },
        checkpoints: { merge: false },
      },
    },
    Subscription: {
      fields: Object.fromEntries(
        Object.entries(streamFields).map(([field, keyArgs]) => [field, { keyArgs, merge: false }]),
      ),
    },
  },
};
