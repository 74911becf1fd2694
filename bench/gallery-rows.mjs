// A gallery of any size, written as fast as a database takes it: without its indexes and triggers, which are put back after.
// Then everything is counted once more by the triggers' own functions.

/** @typedef {(statement: string) => Promise<{ rows: any[] }>} Run */

export const MODELS = 3;
export const LABELS = { artist: 126, style: 16, genre: 12 };
const TAGS = 40;
const COLLECTIONS = 20;
const CHUNK = 50_000;
/** Of the pictures of a kind of label, those that were asked for without one. */
const WITHOUT = { artist: 0.1, style: 0.1, genre: 0.2 };
const FAVOURITES = 0.05;
const TAGGED = 0.2;
const COLLECTED = 0.1;
/** Asked for by many, beside seeds that were drawn. */
const POPULAR_SEED = { seed: 7, share: 0.002 };

/** The harmonic sum: what the first of n has a share of, as words and artists do. @param {number} n */
const zipfSum = (n) => Array.from({ length: n }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b, 0);

/** Where each of n begins in 0..1, as often as it occurs: one random number chooses. @param {number} n */
const ends = (n) =>
  `array[${Array.from({ length: n }, (_, i) => (zipfSum(i + 1) / zipfSum(n)).toFixed(6)).join()}]::float8[]`;

/** @param {Run} run @param {number} pictures @param {(what: string) => void} tell */
export async function fillGallery(run, pictures, tell) {
  await run('select setseed(0.5)');
  for (const [kind, n] of Object.entries(LABELS)) {
    await run(`insert into labels (id, kind, slug, name)
      select md5('${kind}' || i)::uuid::text, '${kind}', '${kind}-' || i, '${kind} ' || i from generate_series(1, ${n}) as i`);
  }
  await run(`insert into models (id, name, sha256, dir, resolution, card)
    select md5('model' || i)::uuid::text, 'Model ' || i, md5(i::text), 'models/' || i, 64, '{}' from generate_series(1, ${MODELS}) as i`);
  await run(`insert into gallery_sets (kind, slug, name)
    select 'tag', 'tag-' || i, 'Tag ' || i from generate_series(1, ${TAGS}) as i
    union all select 'collection', 'collection-' || i, 'Collection ' || i from generate_series(1, ${COLLECTIONS}) as i`);
  const { rows: indexes } = await run(`select indexname, indexdef from pg_indexes
    where tablename in ('gallery_entries', 'images') and indexname not like '%pk%' and indexname not in ('images_pkey', 'images_n_unique')`);
  for (const { indexname } of indexes) await run(`drop index ${indexname}`);
  for (const table of ['images', 'gallery_entries']) await run(`alter table ${table} disable trigger all`);
  for (let first = 1; first <= pictures; first += CHUNK)
    await run(someImages(first, Math.min(pictures, first + CHUNK - 1), pictures));
  await run('analyze images');
  tell('pictures');
  await run(`select gallery_know(array_agg(n)) from (
    select min(n) as n from images group by model_id, artist_id, style_id, genre_id) as one`);
  await run('analyze gallery_selections');
  tell('selections');
  await run(`insert into gallery_entries (set_id, n, kept_at, seed, cell, model, artist, style, genre)
    select 0, n, kept_at, seed, cell, model, artist, style, genre from gallery_places`);
  await run(someOf(1, `random() < ${FAVOURITES}`));
  const { rows: sets } = await run(
    `select id, kind, row_number() over (partition by kind order by id)::int as r from gallery_sets`,
  );
  for (const { id, kind, r } of sets) {
    const share = (kind === 'tag' ? TAGGED / zipfSum(TAGS) : COLLECTED / zipfSum(COLLECTIONS)) / r;
    // The first collection has no favourite: the two have nothing in common, however long one looks.
    const apart =
      kind === 'collection' && r === 1 ? 'and n not in (select n from gallery_entries where set_id = 1)' : '';
    await run(someOf(id, `random() < ${share} ${apart}`));
  }
  tell('entries');
  for (const { indexdef } of indexes) await run(indexdef);
  for (const table of ['images', 'gallery_entries']) await run(`alter table ${table} enable trigger all`);
  tell('indexes');
  await run(`select gallery_change(array_agg(set_id), array_agg(cell), array_agg(day), array_agg(change)) from (
    select set_id, cell, gallery_day(kept_at) as day, count(*) as change from gallery_entries group by 1, 2, 3
  ) as d group by set_id`);
  await run('vacuum analyze');
  tell('counts');
}

/** @param {number} set @param {string} condition */
const someOf = (
  set,
  condition,
) => `insert into gallery_entries (set_id, n, kept_at, seed, cell, model, artist, style, genre)
  select ${set}, n, kept_at, seed, cell, model, artist, style, genre from gallery_entries where set_id = 0 and ${condition}`;

/** A year of them, kept one after the other. @param {number} from @param {number} to @param {number} pictures */
function someImages(from, to, pictures) {
  const one = (/** @type {number} */ n) => `1 + least(${n - 1}, width_bucket(random(), ${ends(n)}))`;
  const label = (/** @type {'artist' | 'style' | 'genre'} */ kind) =>
    `case when random() >= ${WITHOUT[kind]} then ${one(LABELS[kind])} end`;
  const id = (/** @type {string} */ kind) => `md5('${kind}' || ${kind})::uuid::text`;
  const slug = (/** @type {string} */ kind) => `coalesce('"${kind}-' || ${kind} || '"', 'null')`;
  // As core/recipe.ts has it, version 1; no two have the same truncation.
  const recipe = `'[1,"' || ${id('model')} || '",' || ${slug('artist')} || ',' || ${slug('style')} || ',' || ${slug('genre')}
    || ',' || seed || ',' || truncation || ']'`;
  return `insert into images (id, model_id, artist_id, style_id, genre_id, seed, truncation, sha256, width, height, kept_at)
    select translate(encode(convert_to(${recipe}, 'UTF8'), 'base64'), E'+/=\\n', '-_'),
      ${id('model')}, ${id('artist')}, ${id('style')}, ${id('genre')}, seed,
      truncation, md5(i::text) || md5('s' || i), 64, 64, timestamptz '2026-01-01' + (i + random()) / ${pictures} * interval '365 days'
    from (
      select i, ${one(MODELS)} as model, ${label('artist')} as artist, ${label('style')} as style, ${label('genre')} as genre,
        case when random() < ${POPULAR_SEED.share} then ${POPULAR_SEED.seed} else (random() * 9e15)::bigint end as seed,
        trim_scale((i + 1000000) / 10000000.0) as truncation
      from generate_series(${from}, ${to}) as i
    ) as drawn`;
}
