/** Walking through collections and everything that has an id. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../helpers/api.ts';

let api: TestApi;
let run: string;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours(12);
  run = await api.train();
});

afterAll(() => api?.[Symbol.asyncDispose]());

interface Page {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly name: string } }[];
  readonly nodes: readonly { readonly name: string }[];
  readonly pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
  readonly totalCount: number;
}

const page = async (first: number, after?: string): Promise<Page> => {
  const fields =
    'edges { cursor node { name } } nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';
  const query = `query ($first: Int, $after: String) { genres(first: $first, after: $after) { ${fields} totalCount } }`;
  return (await api.data(query, { first, after })).genres;
};

describe('a list', () => {
  it('is walked from page to page by cursors', async () => {
    const first = await page(2);
    expect(first.nodes.map(({ name }) => name)).toEqual(['Flat 0', 'Flat 1']);
    expect(first.totalCount).toBe(3);
    expect(first.pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: first.edges[0]?.cursor,
      endCursor: first.edges[1]?.cursor,
    });
    const second = await page(2, first.pageInfo.endCursor);
    expect(second.nodes.map(({ name }) => name)).toEqual(['Flat 2']);
    expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const end = await page(2, second.pageInfo.endCursor);
    expect(end).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: true, endCursor: null } });
  });

  it('is walked back from its end', async () => {
    const query = `query ($before: String) {
      genres(last: 2, before: $before) { nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor } }
    }`;
    const { genres } = await api.data(query);
    expect(genres.nodes).toEqual([{ name: 'Flat 1' }, { name: 'Flat 2' }]);
    expect(genres.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const earlier = (await api.data(query, { before: genres.pageInfo.startCursor })).genres;
    expect(earlier.nodes).toEqual([{ name: 'Flat 0' }]);
    expect(earlier.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  });

  it('is of what is asked for, in the order that is asked for', async () => {
    const { artworks, styles, datasets } = await api.data(`{
      artworks(where: { style: "warm", title: "work 1" }, orderBy: { field: TITLE, direction: DESC }) {
        nodes { title style { slug } }
        totalCount
      }
      styles(where: { name: "ARM" }) { nodes { slug } totalCount }
      datasets(where: { status: [IMPORTING, FAILED] }) { nodes { slug } totalCount }
    }`);
    expect(artworks).toEqual({ nodes: [{ title: 'Work 10', style: { slug: 'warm' } }], totalCount: 1 });
    expect(styles).toEqual({ nodes: [{ slug: 'warm' }], totalCount: 1 });
    expect(datasets).toEqual({ nodes: [], totalCount: 0 });
  });

  it('inside of a list goes on behind its first page, too', async () => {
    const works = 'artworks(first: 4, after: $after) { nodes { title } pageInfo { hasNextPage endCursor } totalCount }';
    const titles: string[] = [];
    let after: string | null = null;
    do {
      const { style } = await api.data(`query ($after: String) { style(slug: "warm") { ${works} } }`, { after });
      titles.push(...style.artworks.nodes.map(({ title }: { title: string }) => title));
      expect(style.artworks.totalCount).toBe(6);
      after = style.artworks.pageInfo.hasNextPage ? style.artworks.pageInfo.endCursor : null;
    } while (after !== null);
    expect(titles).toEqual([0, 2, 4, 6, 8, 10].map((i) => `Work ${i}`));
  });

  it.each([0, 101, -1])('refuses first: %i', async (first) => {
    const { errors } = await api.ask(`{ artists(first: ${first}) { nodes { id } } style(slug: "warm") { slug } }`);
    expect(errors).toMatchObject([{ path: ['artists'], extensions: { code: 'INVALID_INPUT', path: ['first'] } }]);
  });

  it('refuses a cursor that it has not given', async () => {
    const { pageInfo } = await page(1);
    for (const after of ['x', '', pageInfo.endCursor.slice(2)]) {
      const { errors } = await api.ask('query ($after: String) { genres(after: $after) { nodes { id } } }', { after });
      expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', path: ['after'] } }]);
    }
    const query = 'query ($after: String) { trainingRuns(after: $after) { nodes { id } } }';
    const { errors } = await api.ask(query, { after: pageInfo.endCursor });
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
  });
});

describe('node', () => {
  it('finds everything that has an id', async () => {
    const found = await api.data(
      `query ($run: ID!) {
        artists { nodes { id } } styles { nodes { id } } genres { nodes { id } } datasets { nodes { id } }
        style(slug: "warm") { artworks { nodes { id } } }
        trainingRun(id: $run) { id checkpoints { id } samples { nodes { id } } model { id } }
        generate(label: "warm", n: 1) { id }
      }`,
      { run },
    );
    const { artists, styles, genres, datasets, style, trainingRun, generate } = found;
    const lists = [artists, styles, genres, datasets, style.artworks, trainingRun.samples].map(({ nodes }) => nodes);
    const things = [
      ...lists.map(([one]) => one),
      trainingRun,
      trainingRun.checkpoints[0],
      trainingRun.model,
      generate[0],
    ];
    const ids = things.map(({ id }: { id: string }) => id);
    const { nodes } = await api.data('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', { ids });
    expect(nodes.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(nodes.map((node: { __typename: string }) => node.__typename)).toEqual([
      ...['Artist', 'Style', 'Genre', 'Dataset', 'Artwork', 'TrainingSample', 'TrainingRun', 'Checkpoint', 'Model'],
      'GeneratedImage',
    ]);
    for (const id of ids)
      expect((await api.data('query ($id: ID!) { node(id: $id) { id } }', { id })).node).toEqual({ id });
  });

  it('takes no more than a hundred ids', async () => {
    const ids = Array.from({ length: 101 }, () => 'x');
    const { errors } = await api.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids });
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
  });
});

describe('an import', () => {
  it('tells what it has brought and what it passed over', async () => {
    const { dataset } = await api.run('import-report', { slug: 'colours' });
    expect(dataset).toMatchObject({
      artworkCount: 12,
      import: { status: 'READY', progress: 1, error: null, issues: { nodes: [], totalCount: 0 } },
    });
  });

  it('of the same folder doubles nothing', async () => {
    const ids = async () => {
      const { styles } = await api.data('{ styles { nodes { artworks { nodes { id } } } } }');
      return styles;
    };
    const before = await ids();
    expect(await api.importColours(12)).toMatchObject({ artworkCount: 12 });
    expect(await ids()).toEqual(before);
  });
});

describe('presets', () => {
  it('are printed in full', async () => {
    const { presets } = await api.run('presets');
    expect(presets.map(({ name }: { name: string }) => name).sort()).toEqual(['icip2017', 'studio', 'tip2019']);
    expect(presets[0].config).toMatchObject({ checkpointEvery: expect.any(Number), sampleEvery: expect.any(Number) });
  });
});
