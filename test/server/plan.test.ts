/** What an operation will take, worked out by hand from what fields say of themselves. */
import { type FragmentDefinitionNode, type GraphQLSchema, getOperationAST, Kind, parse } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { makeSchema } from '../../src/resolvers/schema.ts';
import { type Plan, planOf } from '../../src/server/operations/plan.ts';

let schema: GraphQLSchema;
beforeAll(async () => {
  schema = await makeSchema();
});

function plan(text: string, variables: Record<string, unknown> = {}): Plan {
  const document = parse(text);
  const operation = getOperationAST(document);
  if (operation === null || operation === undefined) throw new Error('No operation');
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  return planOf({ schema, operation, fragments, variables });
}

const cost = (text: string, variables?: Record<string, unknown>) => plan(text, variables).cost;

describe('the cost of an operation', () => {
  it('is a point for a value, two for an object, and for a page what its statement and its entries are', () => {
    expect(cost('{ artist(slug: "x") { name slug } }')).toBe(2 + 2);
    expect(cost('{ __typename }')).toBe(1);
    // Clients add it everywhere.
    expect(cost('{ __typename artist(slug: "x") { __typename name } }')).toBe(2 + 1);
    // 100 for the pages of all parents, 10 for one, then ten objects with a value each.
    expect(cost('{ artists(first: 10) { nodes { name } } }')).toBe(110 + 2 + 10);
    expect(cost('{ artists(first: 10) { edges { cursor node { name } } totalCount } }')).toBe(
      110 + 2 + 10 * (1 + 2 + 1) + 101,
    );
  });

  it('counts an entry’s fields once for every entry that the lists above can have', () => {
    const inner = 10 + 2 + 5 * 1;
    expect(cost('{ artists(first: 20) { nodes { artworks(first: 5) { nodes { title } } } } }')).toBe(
      110 + 2 + 100 + 20 * inner,
    );
    expect(cost('query ($n: Int) { artists(first: $n) { nodes { name } } }', { n: 100 })).toBe(110 + 2 + 100);
    expect(cost('{ artists(last: 7) { nodes { name } } }')).toBe(110 + 2 + 7);
    expect(cost('{ artists { nodes { name } } }')).toBe(110 + 2 + 20);
  });

  it('is the same with fragments as without', () => {
    const spread =
      'query { artists { ...page } } fragment page on ArtistConnection { nodes { ...one ... on Artist { slug } } }';
    expect(cost(`${spread} fragment one on Artist { name }`)).toBe(cost('{ artists { nodes { name slug } } }'));
  });

  it('is what is painted, where pictures are asked for by label, by id, or to be kept', () => {
    expect(cost('{ generate(label: "x", n: 3) { id } }')).toBe(3 * 120 + 3);
    expect(cost('{ generate { id } }')).toBe(8 * 120 + 8);
    // Refused by the service; the plan stays within what it can do.
    expect(cost('{ generate(n: 1000000) { id } }')).toBe(64 * 120 + 64);
    const picture = encodeGlobalId('GeneratedImage', 'x');
    const work = encodeGlobalId('Artwork', 'x');
    expect(cost('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: [picture, work, 'x'] })).toBe(120 + 20 + 3);
    expect(cost(`{ node(id: "${picture}") { id } }`)).toBe(120 + 1);
    expect(cost('mutation { keepImages(input: { images: ["a", "b"] }) { userErrors { code } } }')).toBe(240 + 2 + 10);
  });
});

describe('the plan of an operation', () => {
  it('names every scope that it wants', () => {
    const scopes = (text: string) => [...plan(text).scopes].sort();
    expect(scopes('{ __typename artists { totalCount } }')).toEqual(['read']);
    expect(scopes('{ __typename viewer { scopes } }')).toEqual([]);
    expect(scopes('{ generate { id } artists { totalCount } }')).toEqual(['generate', 'read']);
    expect(scopes('{ apiKeys { totalCount } }')).toEqual(['admin']);
    expect(scopes('mutation { cancelTraining(input: { run: "x" }) { run { id } } }')).toEqual(['train']);
    expect(scopes('subscription { trainingRunChanged { seq } }')).toEqual(['read']);
  });

  it('has the time that the operation says it takes', () => {
    const importing = (wait: string) =>
      plan(`mutation { importDataset(input: { name: "a", path: "a"${wait} }) { dataset { id } } }`).waitMs;
    expect(importing(', waitSeconds: 300')).toBe(300_000);
    expect(importing('')).toBe(20_000);
    expect(plan('{ artists { totalCount } }').waitMs).toBe(0);
  });

  it('says how long an answer stays true: as long as the shortest-lived of its parts', () => {
    const seconds = (text: string) => plan(text).cacheSeconds;
    expect(seconds('{ presets { name } }')).toBe(3_600);
    expect(seconds('{ artists { nodes { name } pageInfo { hasNextPage } } }')).toBe(30);
    expect(seconds('{ presets { name } artists { edges { node { name } } } }')).toBe(30);
    expect(seconds('{ artists { nodes { name generatedImages { totalCount } } } }')).toBe(0);
    expect(seconds('{ trainingRuns { totalCount } presets { name } }')).toBe(0);
    expect(seconds('{ generate(n: 1, seed: 1, model: "m") { url } }')).toBe(3_600);
    expect(seconds('{ generate(n: 1, seed: 1) { url } }')).toBe(0);
    expect(seconds('mutation { keepImages(input: { images: [] }) { userErrors { code } } }')).toBe(0);
  });
});
