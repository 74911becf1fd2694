/** The client's cache policies, with pages of a real server: they become one list, in both directions. */

import { readFileSync } from 'node:fs';
import { type ApolloClient, gql, type TypedDocumentNode } from '@apollo/client';
import { buildSchema, getNamedType, isObjectType } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WatchTrainingDocument } from '../../client/src/documents.ts';
import { connectionFields, possibleTypes } from '../../client/src/schema-facts.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { WrittenRun } from '../helpers/written-run.ts';
import { clientFor, upTo } from './watching.ts';

interface Works {
  readonly artworks: {
    readonly totalCount?: number;
    readonly nodes: readonly { readonly id: string; readonly title: string }[];
    readonly edges: readonly { readonly cursor: string; readonly node: { readonly title: string } }[];
    readonly pageInfo: {
      readonly hasPreviousPage: boolean;
      readonly hasNextPage: boolean;
      readonly startCursor: string;
      readonly endCursor: string;
    };
  };
}

interface Place {
  readonly first?: number;
  readonly after?: string;
  readonly last?: number;
  readonly before?: string;
  readonly where?: { readonly style?: string };
  readonly orderBy?: { readonly field: string; readonly direction?: string };
}

const documentWith = (selection: string): TypedDocumentNode<Works, Place> => gql`
  query ($first: Int, $after: String, $last: Int, $before: String, $where: ArtworkWhere, $orderBy: ArtworkOrderBy) {
    artworks(first: $first, after: $after, last: $last, before: $before, where: $where, orderBy: $orderBy) {
      ${selection}
      pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
    }
  }`;
const BY_NODES = documentWith('nodes { id title }');
const BY_EDGES = documentWith('edges { cursor node { id title } }');
const COUNTED = documentWith('totalCount nodes { id title }');

let api: TestApi;
let client: ApolloClient;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours(20);
});

afterAll(() => api?.[Symbol.asyncDispose]());

beforeEach(() => {
  client = clientFor(api.url, {}).client;
});

const numbers = (entries: readonly { readonly title: string }[]) => entries.map(({ title }) => Number(title.slice(5)));
/** 0 to 19: the titles end with them, and the works lie in their order. */
const all = upTo(20).map((number) => number - 1);

/** What the cache holds of the list, or null where it would have to ask. */
const held = (query: typeof BY_NODES, variables: Place) => client.readQuery({ query, variables })?.artworks ?? null;

async function page(query: typeof BY_NODES, variables: Place): Promise<Works['artworks']> {
  const { data } = await client.query({ query, variables, fetchPolicy: 'network-only' });
  if (data === undefined) throw new Error('There was no answer');
  return data.artworks;
}

describe.each([
  ['nodes', BY_NODES, ({ nodes }: Works['artworks']) => numbers(nodes)],
  ['edges', BY_EDGES, ({ edges }: Works['artworks']) => numbers(edges.map(({ node }) => node))],
] as const)('pages asked for by %s', (_name, query, titles) => {
  it('become one list that grows forwards', async () => {
    let list = await page(query, { first: 7 });
    expect(titles(list)).toEqual(all.slice(0, 7));
    while (list.pageInfo.hasNextPage) list = await page(query, { first: 7, after: list.pageInfo.endCursor });
    expect(titles(list)).toEqual(all);
    expect(held(query, {})?.pageInfo).toMatchObject({ hasPreviousPage: false, hasNextPage: false });
  });

  it('become one list that grows backwards', async () => {
    let list = await page(query, { last: 7 });
    expect(titles(list)).toEqual(all.slice(-7));
    while (list.pageInfo.hasPreviousPage) list = await page(query, { last: 7, before: list.pageInfo.startCursor });
    expect(titles(list)).toEqual(all);
    expect(held(query, {})?.pageInfo).toMatchObject({ hasPreviousPage: false, hasNextPage: false });
  });

  it('grow at both ends from the middle', async () => {
    const edges = await page(BY_EDGES, { first: 20 });
    client = clientFor(api.url, {}).client;
    let list = await page(query, { first: 4, after: edges.edges[7]?.cursor ?? '' });
    expect(titles(list)).toEqual([8, 9, 10, 11]);
    list = await page(query, { last: 3, before: list.pageInfo.startCursor });
    list = await page(query, { first: 3, after: list.pageInfo.endCursor });
    expect(titles(list)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    expect(list.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true });
  });

  it('begin anew where the first page is asked for again, or one that joins nothing', async () => {
    const first = await page(query, { first: 5 });
    const second = await page(query, { first: 5, after: first.pageInfo.endCursor });
    expect(titles(second)).toEqual(all.slice(0, 10));
    expect(titles(await page(query, { first: 5 }))).toEqual(all.slice(0, 5));
    expect(titles(await page(query, { first: 5, after: second.pageInfo.endCursor }))).toEqual(all.slice(10, 15));
  });

  it('grow by fetchMore under the eyes of whoever watches', async () => {
    const watched = client.watchQuery({ query, variables: { first: 6 } });
    const seen: number[][] = [];
    const subscription = watched.subscribe(({ data, dataState }) => {
      if (dataState === 'complete') seen.push(titles(data.artworks));
    });
    await waitFor(() => seen.length === 1);
    const endCursor = held(query, {})?.pageInfo.endCursor ?? '';
    await watched.fetchMore({ variables: { after: endCursor } });
    await waitFor(() => seen.at(-1)?.length === 12);
    expect([seen[0], seen.at(-1)]).toEqual([all.slice(0, 6), all.slice(0, 12)]);
    subscription.unsubscribe();
  });
});

describe('lists', () => {
  it('are told apart by where and orderBy, and by nothing else', async () => {
    await page(BY_NODES, { first: 5 });
    const warm = await page(BY_NODES, { first: 5, where: { style: 'warm' } });
    const last = await page(BY_NODES, { first: 5, orderBy: { field: 'FILE', direction: 'DESC' } });
    expect(numbers(warm.nodes)).toEqual([0, 2, 4, 6, 8]);
    expect(numbers(last.nodes)).toEqual([19, 18, 17, 16, 15]);
    expect(numbers(held(BY_NODES, { first: 50 })?.nodes ?? [])).toEqual(all.slice(0, 5));
  });

  it('keep what was counted when they grow', async () => {
    const { pageInfo, totalCount } = await page(COUNTED, { first: 5 });
    expect(totalCount).toBe(20);
    await page(BY_NODES, { first: 5, after: pageInfo.endCursor });
    expect(held(COUNTED, {})).toMatchObject({ totalCount: 20, nodes: { length: 10 } });
  });

  it('do not make up cursors that were not asked for', async () => {
    await page(BY_NODES, { first: 5 });
    expect(held(BY_EDGES, {})).toBeNull();
    await page(BY_EDGES, { first: 5 });
    expect(numbers(held(BY_NODES, {})?.nodes ?? [])).toEqual(all.slice(0, 5));
  });

  it('lose what was evicted', async () => {
    const { nodes } = await page(BY_NODES, { first: 5 });
    client.cache.evict({ id: `Artwork:${nodes[1]?.id}` });
    expect(numbers(held(BY_NODES, {})?.nodes ?? [])).toEqual([0, 2, 3, 4]);
  });

  it('of a label grow as well', async () => {
    const query: TypedDocumentNode<{ style: Works }, { after?: string }> = gql`
      query ($after: String) {
        style(slug: "cool") { id artworks(first: 3, after: $after) { nodes { id title } pageInfo { endCursor } } }
      }`;
    const { data: first } = await client.query({ query });
    const after = first?.style.artworks.pageInfo.endCursor ?? '';
    const { data } = await client.query({ query, variables: { after }, fetchPolicy: 'network-only' });
    expect(numbers(data?.style.artworks.nodes ?? [])).toEqual([1, 3, 5, 7, 9, 11]);
  });
});

describe('a run', () => {
  it('is one and the same for queries and streams', async () => {
    const written = await WrittenRun.begin(api.app.store.db);
    await written.write(3);
    await written.finish();
    const query = gql`query ($id: ID!) { trainingRun(id: $id) { id status step } }`;
    let isOver = false;
    const variables = { run: written.id, after: 0 };
    client.subscribe({ query: WatchTrainingDocument, variables }).subscribe({
      complete: () => {
        isOver = true;
      },
    });
    await waitFor(() => isOver);
    const id = written.id;
    const { data } = await client.query({ query, variables: { id }, fetchPolicy: 'cache-only' });
    expect(data).toMatchObject({ trainingRun: { id, status: 'COMPLETED', step: 3 } });
  });
});

describe('what the cache knows of the schema', () => {
  it('covers every field that comes in pages, and every interface', () => {
    const schema = buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));
    const paged = Object.values(schema.getTypeMap())
      .filter(isObjectType)
      .flatMap((type) => Object.values(type.getFields()).map((field) => ({ type, field })))
      .filter(({ field }) => getNamedType(field.type).name.endsWith('Connection'))
      .map(({ type, field }) => `${type.name}.${field.name}`);
    const known = Object.entries(connectionFields).flatMap(([type, fields]) =>
      Object.keys(fields).map((field) => `${type}.${field}`),
    );
    expect(known.sort()).toEqual(paged.sort());
    expect(known).toContain('Style.generatedImages');
    expect(possibleTypes['Label']).toEqual(['Artist', 'Genre', 'Style']);
  });
});
