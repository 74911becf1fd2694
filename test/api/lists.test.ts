/** What lists can be asked for, by the schema alone: pages from both ends, `where`, `orderBy`, and the statements that it takes. */
import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { type GraphQLError, type GraphQLSchema, graphql } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppError } from '../../src/core/errors.ts';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { plainLatent } from '../../src/core/latents.ts';
import { plainMix } from '../../src/core/mix.ts';
import { encodeRecipe, recipeOf } from '../../src/core/recipe.ts';
import { createLoaders } from '../../src/resolvers/loaders.ts';
import { makeSchema } from '../../src/resolvers/schema.ts';
import { replaceArtworks, replaceIssues } from '../../src/store/datasets.ts';
import type { Store } from '../../src/store/db.ts';
import { keepImages } from '../../src/store/images.ts';
import { upsertLabels } from '../../src/store/labels.ts';
import { appendEvent } from '../../src/store/run-log.ts';
import { claimNextRun, moveRun } from '../../src/store/runs.ts';
import { models, runs } from '../../src/store/tables.ts';
import { openTestStore } from '../helpers/database.ts';
import { newDataset, newModel, newRun } from '../store/rows.ts';

let store: Store;
let schema: GraphQLSchema;
const ids = { run: '', model: '' };

beforeAll(async () => {
  store = await openTestStore();
  schema = await makeSchema();
  const { db } = store;
  const names = {
    artist: ['Ásgrímur', 'Monet', 'Zorn'],
    style: ['Flat', 'Deep'],
    genre: ['Marina', '100% Still_life'],
  };
  const labels = await upsertLabels(
    db,
    (['artist', 'style', 'genre'] as const).flatMap((kind) =>
      names[kind].map((name, i) => ({ kind, slug: `${kind}-${i}`, name })),
    ),
  );
  const idOf = (kind: string, i: number) => labels.get(`${kind}:${kind}-${i}`)?.id ?? null;
  for (const [slug, works] of [
    ['one', 8],
    ['two', 3],
  ] as const) {
    const { id } = await newDataset(db, {
      slug,
      name: `Collection ${slug}`,
      status: slug === 'one' ? 'READY' : 'FAILED',
    });
    const rows = Array.from({ length: works }, (_, i) => ({
      file: `f${i}`,
      title: i % 4 === 3 ? null : `Work ${i}`,
      year: i % 3 === 2 ? null : 1900 - i,
      artistId: idOf('artist', i % 2),
      styleId: idOf('style', i % 2),
      packIndex: i,
    }));
    await replaceArtworks(db, id, rows);
    await replaceIssues(
      db,
      id,
      [1, 2, 3].map((i) => ({ file: `x${i}`, code: 'BAD', message: 'why' })),
    );
    const run = await newRun(db, id);
    ids.run = run.id;
    await db
      .update(runs)
      .set({ name: `Run ${slug}` })
      .where(eq(runs.id, run.id));
    const fence = (await claimNextRun(db, { owner: 'me', leaseMs: 60_000 }))?.fence ?? -1;
    for (let step = 0; step < 6; step++) {
      const grid = { columns: 1, rows: 1, labels: [], sha256: 'a', width: 1, height: 1 };
      await appendEvent(db, { runId: run.id, fence, body: { type: 'sample', id: randomUUID(), step, ...grid } });
    }
    await moveRun(db, { runId: run.id, action: slug === 'one' ? 'finish' : 'cancel' });
  }
  ids.model = (await newModel(db, { name: 'Best_model' })).id;
  await newModel(db, { name: 'Other model' });
  await db.update(models).set({ isDefault: true, runId: ids.run }).where(eq(models.id, ids.model));
  const recipe = { modelId: ids.model, mix: plainMix({ artist: 'artist-0' }), truncation: 1 };
  await keepImages(
    db,
    [0, 1, 2, 3].map((seed) => ({
      id: encodeRecipe(recipeOf({ ...recipe, latent: plainLatent(seed) })),
      modelId: ids.model,
      artistId: idOf('artist', 0),
      seed,
      truncation: 1,
      sha256: 'a',
      width: 1,
      height: 1,
      keptAt: new Date(Date.UTC(2026, 0, 1 + seed)),
    })),
  );
});
afterAll(() => store[Symbol.asyncDispose]());

async function ask(source: string, variableValues: Readonly<Record<string, unknown>> = {}) {
  const before = store.statements();
  const contextValue = {
    db: store.db,
    load: createLoaders(store.db),
    baseUrl: 'http://here',
    signsUrls: false,
  };
  const { data, errors = [] } = await graphql({ schema, source, variableValues, contextValue });
  const statements = store.statements() - before;
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared, not computed with
  return { data: JSON.parse(JSON.stringify(data ?? null)) as any, errors, statements };
}

async function answer(source: string, variables: Readonly<Record<string, unknown>> = {}) {
  const { data, errors } = await ask(source, variables);
  expect(errors).toEqual([]);
  return data;
}

/** What a list gives of `field`. */
async function values(list: string, field: string): Promise<unknown[]> {
  const { found } = await answer(`{ found: ${list} { nodes { ${field} } totalCount } }`);
  const shown = found.nodes.map((node: Record<string, unknown>) => node[field]);
  expect(found.totalCount).toBeGreaterThanOrEqual(shown.length);
  return shown;
}

async function refusal(source: string, variables: Readonly<Record<string, unknown>> = {}) {
  const { errors } = await ask(source, variables);
  // Inside of the error that graphql-js has made of it.
  const cause = errors[0]?.originalError as GraphQLError | undefined;
  const error = cause?.originalError as AppError | undefined;
  return { code: error?.code, path: error?.path, message: error?.message };
}

const PAGE = 'edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';

describe('pages of a list', () => {
  it('come from its end, in its order, and go back to its start', async () => {
    const seen: unknown[][] = [];
    for (let before: string | null = null; ; ) {
      const query = `query ($before: String) { artworks(last: 4, before: $before) { nodes { title } ${PAGE} } }`;
      const { artworks } = await answer(query, { before });
      seen.unshift(artworks.nodes.map(({ title }: { title: unknown }) => title));
      expect(artworks.pageInfo).toMatchObject({ startCursor: artworks.edges[0].cursor, hasNextPage: before !== null });
      if (!artworks.pageInfo.hasPreviousPage) break;
      before = artworks.pageInfo.startCursor;
    }
    expect(seen.map(({ length }) => length)).toEqual([3, 4, 4]);
    expect(seen.flat()).toEqual(await values('artworks(first: 100)', 'title'));
  });

  it('may be empty, and know what lies around them', async () => {
    const { genres } = await answer(`{ genres { ${PAGE} } }`);
    const query = `query ($after: String) { genres(after: $after) { nodes { id } ${PAGE} } }`;
    const end = await answer(query, { after: genres.pageInfo.endCursor });
    const pageInfo = { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null };
    expect(end.genres).toEqual({ nodes: [], edges: [], pageInfo });
  });

  it('are for first or last, from 1 to 100, and take the default first for none', async () => {
    expect(await values('styles(first: 20, last: 1)', 'name')).toEqual(['Flat']);
    expect(await values('styles(first: null, last: 1)', 'name')).toEqual(['Flat']);
    expect(await values('styles(first: 1, last: null)', 'name')).toEqual(['Deep']);
    expect(await refusal('{ styles(first: 2, last: 1) { nodes { id } } }')).toEqual({
      code: 'INVALID_INPUT',
      path: ['last'],
      message: 'Give first or last, not both.',
    });
    for (const last of [0, 101]) {
      const { code, path } = await refusal(`{ datasets { nodes { artists(last: ${last}) { nodes { id } } } } }`);
      expect([code, path]).toEqual(['INVALID_INPUT', ['last']]);
    }
  });

  it('refuse a cursor of another list or order, and say which argument it was', async () => {
    const { styles } = await answer(`{ styles { ${PAGE} } }`);
    const cursor = styles.pageInfo.startCursor;
    for (const argument of ['after', 'before']) {
      for (const list of [
        'artworks(',
        'styles(orderBy: { field: NAME, direction: DESC }, ',
        'styles(orderBy: { field: CREATED_AT }, ',
      ]) {
        const query = `query ($cursor: String) { ${list} ${argument}: $cursor) { nodes { id } } }`;
        expect(await refusal(query, { cursor })).toMatchObject({ code: 'INVALID_INPUT', path: [argument] });
      }
    }
    // The order that it has anyhow.
    const query = 'query ($cursor: String) { styles(orderBy: { field: NAME }, after: $cursor) { nodes { name } } }';
    expect((await answer(query, { cursor })).styles.nodes).toEqual([{ name: 'Flat' }]);
  });
});

describe('where and orderBy', () => {
  it('choose and sort labels', async () => {
    expect(await values('artists(where: { name: "MON" })', 'name')).toEqual(['Monet']);
    expect(await values('genres(where: { name: "%" })', 'name')).toEqual(['100% Still_life']);
    expect(await values('genres(where: { name: "_l" })', 'name')).toEqual(['100% Still_life']);
    expect(await values('artists(where: { hasArtworks: false })', 'name')).toEqual(['Zorn']);
    expect(await values('styles(where: { dataset: "two" })', 'name')).toEqual(['Deep', 'Flat']);
    expect(await values('styles(where: { dataset: "none" })', 'name')).toEqual([]);
    expect(await values('styles(where: { name: null, dataset: null })', 'name')).toHaveLength(2);
    const most = 'artists(orderBy: { field: ARTWORK_COUNT, direction: DESC })';
    expect(await values(most, 'artworkCount')).toEqual([6, 5, 0]);
    expect(await values('artists(last: 1, orderBy: { field: NAME, direction: DESC })', 'name')).toEqual(['Monet']);
  });

  it('choose and sort works', async () => {
    expect(await values('artworks(where: { title: "k 7" })', 'title')).toEqual([]);
    expect(await values('artworks(where: { title: "wORK 6" })', 'title')).toEqual(['Work 6']);
    const years = 'artworks(where: { dataset: "one", yearFrom: 1896, yearTo: 1899 }, orderBy: { field: YEAR })';
    expect(await values(years, 'year')).toEqual([1896, 1897, 1899]);
    const latest = 'artworks(where: { dataset: "one", artist: "artist-0" }, orderBy: { field: YEAR, direction: DESC })';
    expect(await values(latest, 'year')).toEqual([1900, 1896, 1894, null]);
    const titles = 'artworks(last: 3, where: { dataset: "one" }, orderBy: { field: TITLE, direction: DESC })';
    expect(await values(titles, 'title')).toEqual(['Work 0', null, null]);
    const { artists, datasets } = await answer('{ artists { nodes { id slug } } datasets { nodes { id slug } } }');
    const where = { artist: artists.nodes[0].id, dataset: datasets.nodes[0].id };
    const query =
      'query ($where: ArtworkWhere) { artworks(where: $where) { totalCount nodes { artist { id } dataset { id } } } }';
    const { artworks } = await answer(query, { where });
    expect(artworks.totalCount).toBe(artworks.nodes.length);
    expect(artworks.nodes[0]).toEqual({ artist: { id: where.artist }, dataset: { id: where.dataset } });
  });

  it('choose and sort datasets, runs and models', async () => {
    expect(await values('datasets(where: { status: [READY] })', 'slug')).toEqual(['one']);
    expect(await values('datasets(where: { status: [] })', 'slug')).toEqual([]);
    expect(await values('datasets(where: { name: "collection" }, orderBy: { field: NAME })', 'slug')).toEqual([
      'one',
      'two',
    ]);
    expect(await values('trainingRuns(where: { status: [COMPLETED, QUEUED] })', 'name')).toEqual(['Run one']);
    expect(await values('trainingRuns(where: { dataset: "two", preset: "studio" })', 'name')).toEqual(['Run two']);
    expect(await values('trainingRuns(where: { preset: "tip2019" })', 'name')).toEqual([]);
    const ended = 'trainingRuns(where: { name: "run" }, orderBy: { field: FINISHED_AT })';
    expect(await values(ended, 'name')).toEqual(['Run one', 'Run two']);
    const run = encodeGlobalId('TrainingRun', ids.run);
    expect(await values(`models(where: { run: "${run}", isDefault: true, name: "t_m" })`, 'name')).toEqual([
      'Best_model',
    ]);
    expect(await values('models(orderBy: { field: NAME, direction: DESC })', 'name')).toEqual([
      'Other model',
      'Best_model',
    ]);
  });

  it('choose and sort kept pictures and samples', async () => {
    const seeds = (args: string) => values(`generatedImages(${args})`, 'seed');
    expect(await seeds('where: { artist: "artist-0" }')).toEqual([3, 2, 1, 0]);
    expect(await seeds('where: { artist: "artist-1" }')).toEqual([]);
    expect(await seeds('where: { keptAfter: "2026-01-02T00:00:00Z", keptBefore: "2026-01-04T00:00:00Z" }')).toEqual([
      2, 1,
    ]);
    expect(await seeds('where: { keptAfter: "0000-01-01T00:00:00Z" }, last: 1')).toEqual([0]);
    expect(await seeds('orderBy: { field: KEPT_AT, direction: ASC }, first: 2')).toEqual([0, 1]);
    const model = encodeGlobalId('Model', ids.model);
    expect(await seeds(`where: { model: "${model}" }, first: 1`)).toEqual([3]);
    const samples = 'samples(where: { stepFrom: 1, stepTo: 4 }, orderBy: { field: STEP, direction: DESC }, first: 2)';
    const { trainingRuns } = await answer(`{ trainingRuns { nodes { ${samples} { nodes { step } totalCount } } } }`);
    for (const { samples } of trainingRuns.nodes)
      expect(samples).toEqual({ nodes: [{ step: 4 }, { step: 3 }], totalCount: 4 });
  });
});

describe('the statements of a list', () => {
  it('are those of the fields that are selected', async () => {
    const { styles } = await answer(`{ styles(first: 1) { ${PAGE} } }`);
    const cursor = styles.pageInfo.endCursor;
    const taken = async (fields: string, args = 'after: $cursor, where: { hasArtworks: true }') => {
      const declared = args.includes('$') ? '($cursor: String)' : '';
      const { errors, statements } = await ask(`query ${declared} { styles(${args}) { ${fields} } }`, { cursor });
      expect(errors).toEqual([]);
      return statements;
    };
    expect(await taken('nodes { name } pageInfo { hasNextPage endCursor }')).toBe(1);
    expect(await taken('nodes { name } pageInfo { hasPreviousPage }')).toBe(2);
    expect(await taken('nodes { name } totalCount')).toBe(2);
    expect(await taken(`nodes { name } totalCount ${PAGE}`)).toBe(3);
    expect(await taken(PAGE, 'last: 1')).toBe(1);
    expect(await taken(PAGE, 'last: 1, after: $cursor')).toBe(1);
    expect(await taken(PAGE, 'last: 1, before: $cursor')).toBe(2);
  });

  it.each([
    'artworks(last: 2) { nodes { title } totalCount pageInfo { hasPreviousPage hasNextPage } }',
    'artworks(first: 2, where: { yearFrom: 1897 }, orderBy: { field: TITLE }) { nodes { title } totalCount }',
    'artworks(after: $cursor) { nodes { title } pageInfo { hasPreviousPage } }',
    'generatedImages(last: 1, where: { artist: "artist-0" }) { nodes { seed } totalCount }',
  ])('are two for a list inside of a list, however long that is: %s', async (list) => {
    const { artworks } = await answer(`{ artworks(first: 2) { ${PAGE} } }`);
    const query = `query ($cursor: String, $first: Int) { used: artworks(first: 1, before: $cursor) { nodes { id } } artists(first: $first) { nodes { ${list} } } }`;
    for (const first of [1, 3]) {
      const { errors, statements } = await ask(query, { cursor: artworks.pageInfo.endCursor, first });
      expect(errors).toEqual([]);
      // The gallery looks up once what the words of a filter mean.
      expect(statements).toBe(list.startsWith('generatedImages') ? 5 : 4);
    }
  });

  it('do not keep others from answering where one is refused', async () => {
    const works = (args: string) => `style(slug: "style-0") { artworks(${args}) { nodes { title } } }`;
    const query = `query ($bad: String) { good: ${works('first: 1')} bad: ${works('after: $bad')} }`;
    const { data, errors } = await ask(query, { bad: 'x' });
    expect(errors.map(({ path }) => path)).toEqual([['bad', 'artworks']]);
    expect(data).toEqual({ good: { artworks: { nodes: [{ title: 'Work 0' }] } }, bad: null });
  });
});
