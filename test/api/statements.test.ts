/** Relations are read in batches: the number of SQL statements of a query does not grow with the number of rows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi, type Variables } from '../helpers/api.ts';

let api: TestApi;

beforeAll(async () => {
  // A server without a run or an import under way says nothing to its database by itself.
  api = await startTestApi();
  await api.importColours(24);
  await api.importColours(6, 'More colours');
  await api.importColours(4, 'Most colours');
  for (let i = 0; i < 3; i++) await api.train({ name: `Run ${i}`, steps: 2 });
  for (const label of ['warm', 'cool']) {
    const { generate } = await api.run('generate', { label, n: 4 });
    await api.run('keep-images', { images: generate.map(({ id }: { id: string }) => id) });
  }
});

afterAll(() => api?.[Symbol.asyncDispose]());

/** The smallest of a few: the run driver looks into its queue now and then. */
async function statements(query: string, variables: Variables): Promise<number> {
  const counts: number[] = [];
  for (let i = 0; i < 3; i++) {
    const before = api.app.store.statements();
    await api.data(query, variables);
    counts.push(api.app.store.statements() - before);
  }
  return Math.min(...counts);
}

const queries = {
  'works with their artist, style, genre and dataset': {
    query: `query ($first: Int!) {
      style(slug: "warm") {
        artworks(first: $first) { nodes { title url artist { name } style { name } genre { name } dataset { name } } }
      }
    }`,
    // The style, its works, the labels of all three kinds at once, the dataset.
    most: 4,
  },
  'labels with the first of their works and pictures, and counts': {
    query: `query ($first: Int!) {
      genres(first: $first) {
        nodes {
          name
          artworkCount
          artworks(first: 2) { nodes { title artist { name } dataset { name } } totalCount pageInfo { hasNextPage } }
          generatedImages(first: 2) { nodes { id model { name } } totalCount }
        }
        totalCount
      }
    }`,
    // Labels and their number; works and their number; artists, datasets; pictures and their number; models.
    most: 9,
  },
  'runs with their dataset, checkpoints and model': {
    query: `query ($first: Int!) {
      trainingRuns(first: $first) {
        nodes {
          name
          queuePosition
          dataset { name artworkCount }
          checkpoints { step }
          metrics(maxPoints: 5) { step }
          samples(first: 2) { nodes { url run { name } } totalCount }
          model { name checkpoint { step } }
        }
      }
    }`,
    // Runs; datasets and their works; checkpoints; metrics, which and what; samples, their number and runs; models and checkpoints.
    most: 11,
  },
  'datasets with their labels and issues': {
    query: `query ($first: Int!) {
      datasets(first: $first) {
        nodes {
          artworkCount
          artists(first: 2) { nodes { name artworkCount } totalCount pageInfo { hasNextPage } }
          styles(first: 2) { nodes { name } totalCount }
          import { issues(first: 2) { nodes { file } totalCount } }
        }
      }
    }`,
    // Datasets and their works; artists, their number and works; styles and their number; issues and their number.
    most: 9,
  },
  'labels with the last of their works, filtered and sorted, and whether more come before': {
    query: `query ($first: Int!) {
      genres(first: $first) {
        nodes {
          artworks(last: 2, where: { dataset: "colours" }, orderBy: { field: TITLE, direction: DESC }) {
            nodes { title }
            totalCount
            pageInfo { hasPreviousPage hasNextPage }
          }
        }
      }
    }`,
    // Labels; works and their number.
    most: 3,
  },
  'models with their run and labels': {
    query: `query ($first: Int!) {
      models(first: $first) { nodes { name run { name dataset { name } } labels { name artworkCount } } }
    }`,
    most: 5,
  },
  'kept pictures with what they are in, and facets': {
    query: `query ($first: Int!) {
      generatedImages(first: $first, where: { label: "warm" }) {
        nodes { id favourite tags collections { name } }
        totalCount
        facets { artists { label { name } count } tags { tag count } favourites { count } }
      }
    }`,
    // The filter's label; the page, its length; sets; facets of all kinds at once, and their labels.
    most: 6,
  },
  'labels with kept pictures under a filter, and facets': {
    query: `query ($first: Int!) {
      genres(first: $first) {
        nodes {
          generatedImages(first: 2, where: { label: "warm", favourite: false }) {
            nodes { id }
            totalCount
            facets { styles { label { name } count } tags { tag count } }
          }
        }
      }
    }`,
    // Labels; the filter's label; pages, their lengths; facets of all kinds and parents at once, and their labels.
    most: 6,
  },
  'kept pictures with their labels and model': {
    query: `query ($first: Int!) {
      generatedImages(first: $first) { nodes { id url artist { name } style { name } model { name } } }
    }`,
    most: 3,
  },
};

describe('the number of SQL statements', () => {
  it.each(Object.entries(queries))('is the same for one and for many: %s', async (_what, { query, most }) => {
    const few = await statements(query, { first: 1 });
    const many = await statements(query, { first: 12 });
    expect(many).toBeLessThanOrEqual(most);
    expect(many - few).toBeLessThanOrEqual(0);
  });

  it('counts a total only where it is asked for', async () => {
    const without = await statements('{ styles { nodes { id } } }', {});
    const withTotal = await statements('{ styles { nodes { id } totalCount } }', {});
    expect([without, withTotal]).toEqual([1, 2]);
  });

  it('looks behind a page only where it is asked to', async () => {
    const { styles } = await api.data('{ styles { pageInfo { endCursor } } }');
    const after = styles.pageInfo.endCursor;
    const query = (field: string) => `query ($after: String) { styles(after: $after) { pageInfo { ${field} } } }`;
    const without = await statements(query('hasNextPage'), { after });
    const withPrevious = await statements(query('hasPreviousPage'), { after });
    expect([without, withPrevious]).toEqual([1, 2]);
  });
});
