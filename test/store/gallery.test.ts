/**
 * The gallery against a naive one in memory: whatever is kept, marked and deleted, in any order, pages and numbers are those
 * that looking at every picture gives.
 */
import { randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABEL_KINDS } from '../../src/core/labels.ts';
import type { PageRequest } from '../../src/core/paging.ts';
import { slugOfTag } from '../../src/core/tags.ts';
import type { Store } from '../../src/store/db.ts';
import { FACETS, type Facet, type FacetValue, facetsOf } from '../../src/store/gallery-facets.ts';
import { EVERYTHING, type ImageFilter, pickImages } from '../../src/store/gallery-filter.ts';
import {
  addToSets,
  deleteSet,
  dropUnusedTags,
  insertSet,
  removeFromSets,
  setsOfImages,
  tagIds,
  upsertTags,
} from '../../src/store/gallery-sets.ts';
import { FAVOURITES, galleryEntries, gallerySets } from '../../src/store/gallery-tables.ts';
import { deleteImages, imageList, imagesByIds, imagesOf, inGallery, keepImages } from '../../src/store/images.ts';
import { upsertLabels } from '../../src/store/labels.ts';
import { imageCountsByModel } from '../../src/store/models.ts';
import { countRows, countRowsOf, readPage, readPages } from '../../src/store/page.ts';
import { images } from '../../src/store/tables.ts';
import { openTestStore } from '../helpers/database.ts';
import { Dice } from '../helpers/dice.ts';
import { newModel } from './rows.ts';

interface Kept {
  readonly id: string;
  readonly model: string;
  readonly artist: string | null;
  readonly style: string | null;
  readonly genre: string | null;
  readonly seed: number;
  readonly keptAt: Date;
  readonly sets: Set<string>;
}

const TAGS = ['blue', 'red', 'Zürich', '★'];
const COLLECTIONS = ['best', 'worst'];
const FAVOURITE = 'favourite';
const START = Date.UTC(2026, 0, 1);

let store: Store;
/** Ids by kind; the slug of the i-th is `<kind>-<i>`. */
const ids = { model: [] as string[], artist: [] as string[], style: [] as string[], genre: [] as string[] };
const collections = new Map<string, number>();

beforeAll(async () => {
  store = await openTestStore();
  for (let i = 0; i < 2; i++) ids.model.push((await newModel(store.db)).id);
  const names = LABEL_KINDS.flatMap((kind) =>
    [0, 1, 2].map((i) => ({ kind, slug: `${kind}-${i}`, name: `${kind} ${i}` })),
  );
  const rows = await upsertLabels(store.db, names);
  for (const { kind, slug } of names) ids[kind].push(rows.get(`${kind}:${slug}`)?.id ?? '');
  for (const slug of COLLECTIONS) {
    const row = await insertSet(store.db, { kind: 'collection', slug, name: slug });
    collections.set(slug, row?.id ?? -1);
  }
});
afterAll(() => store[Symbol.asyncDispose]());

/** Of three days, often the same. */
const momentOf = (dice: Dice) => new Date(START + dice.below(3) * 86_400_000 + dice.below(8) * 1_000);

function picture(dice: Dice): Kept {
  const some = (all: readonly string[]) => (dice.happens(0.2) ? null : dice.one(all));
  return {
    id: randomUUID(),
    model: dice.one(ids.model),
    artist: some(ids.artist),
    style: some(ids.style),
    genre: some(ids.genre),
    seed: dice.below(4),
    keptAt: momentOf(dice),
    sets: new Set(),
  };
}

const rowOf = ({ id, model, artist, style, genre, seed, keptAt }: Kept) => {
  const rest = { truncation: 1, sha256: id, width: 1, height: 1 };
  return { id, modelId: model, artistId: artist, styleId: style, genreId: genre, seed, keptAt, ...rest };
};

const numbers = async (some: readonly Kept[]) =>
  (
    await imagesByIds(
      store.db,
      some.map(({ id }) => id),
    )
  ).map(({ n }) => n);

/** One thing that users do, done to both galleries. */
async function change(dice: Dice, kept: Map<string, Kept>): Promise<void> {
  const all = [...kept.values()];
  const some = all.filter(() => dice.happens(0.3));
  // Before a transaction: the embedded database has one connection.
  const theirs = await numbers(some);
  const what = dice.one(['keep', 'keep', 'keep', 'tag', 'tag', 'untag', 'collect', 'collect', 'delete', 'relabel']);
  if (what === 'keep') {
    const fresh = Array.from({ length: dice.below(6) }, () => picture(dice));
    const again = all.filter(() => dice.happens(0.05)).map((old) => ({ ...rowOf(old), seed: 99 }));
    await keepImages(store.db, [...fresh.map(rowOf), ...again]);
    for (const one of fresh) kept.set(one.id, one);
  } else if (what === 'tag') {
    const tag = dice.one(TAGS);
    await inGallery(store.db, async (tx) => {
      const isFavourite = dice.happens(0.3);
      const sets = isFavourite ? [FAVOURITES] : await upsertTags(tx, new Map([[slugOfTag(tag), tag]]));
      await addToSets(tx, sets, theirs);
      for (const { sets: theirs } of some) theirs.add(isFavourite ? FAVOURITE : tag);
    });
  } else if (what === 'untag') {
    const tag = dice.one(TAGS);
    await inGallery(store.db, async (tx) => {
      await removeFromSets(tx, [FAVOURITES, ...(await tagIds(tx, [slugOfTag(tag)]))], theirs);
      await dropUnusedTags(tx);
    });
    for (const { sets } of some) for (const set of [tag, FAVOURITE]) sets.delete(set);
  } else if (what === 'collect') {
    const slug = dice.one(COLLECTIONS);
    await inGallery(store.db, async (tx) => addToSets(tx, [collections.get(slug) ?? -1], theirs));
    for (const { sets } of some) sets.add(slug);
  } else if (what === 'delete') {
    const gone = some.slice(0, 3);
    const rows = await deleteImages(store.db, [...gone.map(({ id }) => id), 'nothing']);
    expect(rows).toHaveLength(gone.length);
    for (const { id } of gone) kept.delete(id);
  } else {
    // Nobody does, but whoever writes to the table is counted.
    const [one] = some;
    if (one === undefined) return;
    const changed = { ...one, style: dice.one(ids.style), keptAt: momentOf(dice) };
    await store.db
      .update(images)
      .set({ styleId: changed.style, keptAt: changed.keptAt })
      .where(sql`${images.id} = ${one.id}`);
    kept.set(one.id, changed);
  }
}

function anyFilter(dice: Dice): ImageFilter {
  const maybe = <T>(value: () => T, often = 0.25) => (dice.happens(often) ? value() : undefined);
  const label = (kind: 'artist' | 'style' | 'genre') => () => {
    const i = dice.below(4);
    return dice.happens(0.5) ? `${kind}-${i}` : (ids[kind][i] ?? 'none');
  };
  return {
    label: maybe(label(dice.one(LABEL_KINDS)), 0.15),
    artist: maybe(label('artist')),
    style: maybe(label('style')),
    genre: maybe(label('genre')),
    model: maybe(() => dice.one(ids.model)),
    seed: maybe(() => dice.below(5), 0.1),
    seeds: maybe(() => [dice.below(4), dice.below(4), dice.below(5)], 0.1),
    tag: maybe(() => dice.one([...TAGS, 'BLUE', 'zurich', 'green']), 0.2),
    tags: maybe(() => TAGS.filter(() => dice.happens(0.4)), 0.1),
    collection: maybe(() => dice.one([...COLLECTIONS, String(collections.get('best')), 'none']), 0.2),
    favourite: maybe(() => dice.happens(0.6), 0.2),
    keptAfter: maybe(() => momentOf(dice), 0.25),
    keptBefore: maybe(() => momentOf(dice), 0.25),
  };
}

const slugs: Readonly<Record<string, string>> = { BLUE: 'blue', zurich: 'Zürich' };

function fits(one: Kept, filter: ImageFilter): boolean {
  const { artist, style, genre } = one;
  const named = (kind: 'artist' | 'style' | 'genre', text: string, id: string | null) =>
    id !== null && (id === text || `${kind}-${ids[kind].indexOf(id)}` === text);
  const tags = [...(filter.tags ?? []), ...(filter.tag ? [filter.tag] : [])].map((tag) => slugs[tag] ?? tag);
  const into = filter.collection === String(collections.get('best')) ? 'best' : filter.collection;
  const label = filter.label ?? undefined;
  return (
    (label === undefined ||
      named('artist', label, artist) ||
      named('style', label, style) ||
      named('genre', label, genre)) &&
    (!filter.artist || named('artist', filter.artist, artist)) &&
    (!filter.style || named('style', filter.style, style)) &&
    (!filter.genre || named('genre', filter.genre, genre)) &&
    (!filter.model || one.model === filter.model) &&
    ((filter.seed ?? undefined) === undefined || one.seed === filter.seed) &&
    (!filter.seeds || filter.seeds.includes(one.seed)) &&
    tags.every((tag) => one.sets.has(tag)) &&
    (!into || one.sets.has(into)) &&
    ((filter.favourite ?? undefined) === undefined || one.sets.has(FAVOURITE) === filter.favourite) &&
    (!filter.keptAfter || one.keptAt >= filter.keptAfter) &&
    (!filter.keptBefore || one.keptAt < filter.keptBefore)
  );
}

/** All pages of a list, from either end. */
async function readAll(filter: ImageFilter, backward: boolean, size: number): Promise<string[]> {
  const list = imageList(await pickImages(store.db, filter), { field: 'KEPT_AT', direction: 'DESC' });
  const found: string[][] = [];
  for (let cursor: string | undefined; ; ) {
    const request: PageRequest = backward ? { last: size, before: cursor } : { first: size, after: cursor };
    const page = await readPage(store.db, list, request);
    found.push(page.rows.map(({ id }) => id));
    expect(await (backward ? page.hasNextPage() : page.hasPreviousPage())).toBe(cursor !== undefined);
    if (!(await (backward ? page.hasPreviousPage() : page.hasNextPage()))) break;
    cursor = backward ? page.cursors[0] : page.cursors.at(-1);
  }
  return (backward ? found.toReversed() : found).flat();
}

/** The newest first; of one moment the one that was kept last. */
async function naive(kept: ReadonlyMap<string, Kept>, filter: ImageFilter): Promise<Kept[]> {
  const order = new Map(
    (await store.db.select({ id: images.id, n: images.n }).from(images)).map(({ id, n }) => [id, n]),
  );
  const place = ({ id }: Kept) => order.get(id) ?? -1;
  return [...kept.values()]
    .filter((one) => fits(one, filter))
    .sort((a, b) => b.keptAt.getTime() - a.keptAt.getTime() || place(b) - place(a));
}

async function countedNaively(some: readonly Kept[], facet: Facet): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const rows = await store.db.select().from(gallerySets);
  const setIds = (one: Kept, kind: string) =>
    rows.filter((row) => row.kind === kind && one.sets.has(slugs[row.slug] ?? row.slug)).map(({ id }) => String(id));
  for (const one of some) {
    const values =
      facet === 'favourite'
        ? one.sets.has(FAVOURITE)
          ? ['']
          : []
        : facet === 'tag' || facet === 'collection'
          ? setIds(one, facet)
          : [one[facet]].filter((id) => id !== null);
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

const told = (values: readonly FacetValue[] = []) =>
  new Map(values.filter(({ count }) => count > 0).map(({ id, count }) => [id, count]));

/** Every count, from the pictures themselves. */
const recount = sql`
  select e.set_id, s.id as selection, count(*)::int as pictures
  from gallery_entries e join images i on i.n = e.n
  join gallery_selections s on (s.model_id is null or s.model_id = i.model_id)
    and (s.artist_id is null or s.artist_id = i.artist_id)
    and (s.style_id is null or s.style_id = i.style_id) and (s.genre_id is null or s.genre_id = i.genre_id)
  group by 1, 2`;

const rowsOf = async (query: SQL) => ((await store.db.execute(query)) as { rows: unknown[] }).rows;

async function expectTrueCounts(): Promise<void> {
  const drift = await rowsOf(sql`
    select * from (${recount}) as right_counts full join gallery_counts c using (set_id, selection)
    where right_counts.pictures is distinct from c.pictures`);
  expect(drift).toEqual([]);
  const days = await rowsOf(sql`
    select * from (
      select e.set_id, s.id as selection, gallery_day(e.kept_at) as day, count(*)::int as pictures
      from gallery_entries e join gallery_selections s on s.givens in (0, 1, 2, 4, 8)
        and s.id = any((select parts from gallery_selections where id = e.cell)::int[])
      group by 1, 2, 3
    ) as right_days full join gallery_days d using (set_id, selection, day)
    where right_days.pictures is distinct from d.pictures`);
  expect(days).toEqual([]);
  const strays = await rowsOf(sql`
    select e.n from gallery_entries e join images i on i.n = e.n join gallery_places p on p.n = e.n
    where (e.kept_at, e.seed, e.cell, e.model) is distinct from (i.kept_at, i.seed, p.cell, p.model)
      or (e.artist, e.style, e.genre) is distinct from (p.artist, p.style, p.genre)
    union all select i.n from images i where not exists (select 1 from gallery_entries e where e.set_id = 0 and e.n = i.n)`);
  expect(strays).toEqual([]);
}

describe('a gallery that is written to at random', () => {
  it('has the pages, lengths and facets that looking at every picture gives', async () => {
    const dice = new Dice(2026);
    const kept = new Map<string, Kept>();
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 6; i++) await change(dice, kept);
      await expectTrueCounts();
      for (let i = 0; i < 8; i++) {
        const filter = anyFilter(dice);
        const about = JSON.stringify(filter);
        const right = await naive(kept, filter);
        const rightIds = right.map(({ id }) => id);
        expect(await readAll(filter, dice.happens(0.5), 1 + dice.below(9)), about).toEqual(rightIds);
        const picked = await pickImages(store.db, filter);
        expect(await countRows(store.db, imageList(picked)), about).toBe(right.length);
        const query = { picked, kind: undefined, facets: FACETS, first: 100 };
        const found = (await facetsOf(store.db, query, [''])).get('');
        for (const facet of FACETS) {
          expect(told(found?.get(facet)), `${facet} of ${about}`).toEqual(await countedNaively(right, facet));
          expect(found?.get(facet)?.every(({ isExact }) => isExact) ?? true).toBe(true);
        }
      }
    }
    expect(kept.size).toBeGreaterThan(50);
    const byModel = await imageCountsByModel(store.db, ids.model);
    for (const model of ids.model) expect(byModel.get(model)).toBe((await naive(kept, { model })).length);
  });

  it('has them for the labels and collections that lists hang on, too', async () => {
    const dice = new Dice(7);
    const { rows } = await readPage(store.db, imageList(), { first: 100 });
    expect(rows.length).toBeGreaterThan(20);
    for (let i = 0; i < 24; i++) {
      const filter = anyFilter(dice);
      const picked = await pickImages(store.db, filter);
      const kind = dice.one(['artist', 'style', 'genre', 'collection'] as const);
      const parents = kind === 'collection' ? [...collections.values()].map(String) : ids[kind];
      const list = imagesOf(kind, picked);
      const before = store.statements();
      const pages = await readPages(store.db, list, { ids: parents, page: { first: 7 } });
      const counts = await countRowsOf(store.db, list, parents);
      expect(store.statements() - before).toBe(2);
      const facets = await facetsOf(store.db, { picked, kind, facets: FACETS, first: 100 }, parents);
      for (const parent of parents) {
        // A second label of the same kind: the same as both one after the other.
        const alone = await pickImages(store.db, { ...filter, [kind]: parent });
        const other = filter[kind] ?? undefined;
        const both = other === undefined ? alone : null;
        const about = `${kind} ${parent} ${JSON.stringify(filter)}`;
        if (other !== undefined) continue;
        const page = await readPage(store.db, imageList(both), { first: 7 });
        expect(pages.get(parent)?.rows, about).toEqual(page.rows);
        expect(counts.get(parent), about).toBe(await countRows(store.db, imageList(both)));
        const query = { picked: both, kind: undefined, facets: FACETS, first: 100 };
        const right = (await facetsOf(store.db, query, [''])).get('');
        for (const facet of FACETS)
          expect(told(facets.get(parent)?.get(facet)), about).toEqual(told(right?.get(facet)));
      }
    }
  });

  it('tells what each picture is in', async () => {
    const { rows } = await readPage(store.db, imageList(await pickImages(store.db, { favourite: true })), {
      first: 100,
    });
    const found = await setsOfImages(
      store.db,
      rows.map(({ id }) => id),
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every(({ id }) => found.get(id)?.isFavourite)).toBe(true);
    const tagged = await readPage(store.db, imageList(await pickImages(store.db, { tag: 'red' })), { first: 1 });
    const sets = (await setsOfImages(store.db, [tagged.rows[0]?.id ?? ''])).get(tagged.rows[0]?.id ?? '')?.sets;
    expect(sets?.some(({ kind, slug }) => kind === 'tag' && slug === 'red')).toBe(true);
  });
});

describe('many who write to the gallery at once', () => {
  it('do not wait for each other in a circle, and are all counted', async () => {
    const dice = new Dice(11);
    const shared = Array.from({ length: 40 }, () => picture(dice));
    await keepImages(store.db, shared.map(rowOf));
    const writer = async (i: number) => {
      const own = new Dice(i);
      for (let turn = 0; turn < 6; turn++) {
        const some = shared.filter(() => own.happens(0.4)).sort(() => own.chance() - 0.5);
        const theirs = async () => numbers(some);
        const what = own.below(5);
        if (what === 0)
          await keepImages(store.db, [...some, ...Array.from({ length: 3 }, () => picture(own))].map(rowOf));
        else if (what === 1)
          await deleteImages(
            store.db,
            some.slice(0, 4).map(({ id }) => id),
          );
        else
          await inGallery(store.db, async (tx) => {
            const rows = await imagesByIds(
              tx,
              some.map(({ id }) => id),
            );
            const tags = await upsertTags(tx, new Map([[`tag-${own.below(3)}`, 'A tag']]));
            const sets = [FAVOURITES, collections.get(own.one(COLLECTIONS)) ?? -1, ...tags];
            const change = what === 2 ? removeFromSets : addToSets;
            await change(
              tx,
              sets,
              rows.map(({ n }) => n),
            );
          });
        // Others' statements, without asking to be alone first.
        if (own.happens(0.2)) {
          const gone = await theirs();
          await store.db
            .delete(galleryEntries)
            .where(sql`${galleryEntries.setId} = ${FAVOURITES} and ${galleryEntries.n} = ${gone[0] ?? -1}`);
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, i) => writer(i)));
    await expectTrueCounts();
  });
});

describe('what is taken away', () => {
  it('leaves no entries of a collection, and keeps its pictures', async () => {
    const row = await insertSet(store.db, { kind: 'collection', slug: 'brief', name: 'Brief' });
    expect(await insertSet(store.db, { kind: 'collection', slug: 'brief', name: 'Again' })).toBeUndefined();
    const { rows } = await readPage(store.db, imageList(), { first: 5 });
    await inGallery(store.db, (tx) =>
      addToSets(
        tx,
        [row?.id ?? -1],
        rows.map(({ n }) => n),
      ),
    );
    const list = imageList({ ...EVERYTHING, sets: [row?.id ?? -1] });
    expect(await countRows(store.db, list)).toBe(5);
    await inGallery(store.db, (tx) => deleteSet(tx, row?.id ?? -1));
    expect(await countRows(store.db, list)).toBe(0);
    expect(await pickImages(store.db, { collection: 'brief' })).toBeNull();
    expect(
      await imagesByIds(
        store.db,
        rows.map(({ id }) => id),
      ),
    ).toHaveLength(5);
    await expectTrueCounts();
  });

  it('is not counted where rows were deleted by hand, or all at once', async () => {
    const { rows } = await readPage(store.db, imageList(), { first: 3 });
    for (const { id } of rows) await store.db.execute(sql`delete from images where id = ${id}`);
    await expectTrueCounts();
    await store.db.execute(sql`truncate images cascade`);
    await expectTrueCounts();
    expect(await countRows(store.db, imageList())).toBe(0);
  });
});
