// What the gallery of gallery-rows.mjs is asked: pages of all kinds, every filter alone, filters together (frequent, rare and
// empty ones, and those that are known to be the worst), facets and lengths.
import { createHash } from 'node:crypto';

/** @typedef {{ kind: 'pages' | 'filters' | 'facets' | 'counts', name: string, where: any, page: any }} Question */

/** Ids as gallery-rows.mjs gives them. @param {string} text */
function idOf(text) {
  const hex = createHash('md5').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

const model = idOf('model1');
const otherModel = idOf('model3');

/** @type {Readonly<Record<string, object>>} */
const singles = {
  artist: { artist: 'artist-7' },
  'another artist': { artist: 'artist-101' },
  style: { style: 'style-2' },
  genre: { genre: 'genre-5' },
  'any label': { label: 'style-9' },
  model: { model },
  seed: { seed: 7 },
  'a seed that nothing has': { seed: 12 },
  seeds: { seeds: [7, 8, 9, 10, 11, 12] },
  favourites: { favourite: true },
  'no favourites': { favourite: false },
  'a frequent tag': { tag: 'tag-1' },
  'a rare tag': { tag: 'tag-40' },
  collection: { collection: 'collection-3' },
  'a month': { keptAfter: new Date('2026-05-01'), keptBefore: new Date('2026-06-01') },
  'until July': { keptBefore: new Date('2026-07-01') },
  'a label that is not there': { artist: 'nobody' },
};

/** @type {Readonly<Record<string, object>>} */
const together = {
  'artist, style': { artist: 'artist-7', style: 'style-2' },
  'style, genre': { style: 'style-1', genre: 'genre-1' },
  'model, genre (most cells)': { model, genre: 'genre-1' },
  'model, style (most cells)': { model: otherModel, style: 'style-3' },
  'artist, style, genre': { artist: 'artist-3', style: 'style-4', genre: 'genre-2' },
  'all labels, rare': { model: otherModel, artist: 'artist-120', style: 'style-15', genre: 'genre-11' },
  'favourites, artist': { favourite: true, artist: 'artist-50' },
  'favourites, model': { favourite: true, model },
  'favourites, model, style': { favourite: true, model, style: 'style-1' },
  'tag, style, genre': { tag: 'tag-2', style: 'style-2', genre: 'genre-3' },
  'favourites, tag': { favourite: true, tag: 'tag-1' },
  'favourites, collection (empty, both large)': { favourite: true, collection: 'collection-1' },
  'the same, artist': { favourite: true, collection: 'collection-1', artist: 'artist-1' },
  'two tags': { tags: ['tag-1', 'tag-2'] },
  'three tags, favourites': { tags: ['tag-1', 'tag-2', 'tag-3'], favourite: true },
  'no favourites, artist': { favourite: false, artist: 'artist-9' },
  'seed, artist': { seed: 7, artist: 'artist-90' },
  'dates, artist': { artist: 'artist-1', keptBefore: new Date('2026-07-01') },
  'dates, style, genre': { style: 'style-2', genre: 'genre-1', keptBefore: new Date('2026-03-01') },
  'dates, favourites': { favourite: true, keptAfter: new Date('2026-12-01') },
};

/**
 * @param {(where: any, page: any) => Promise<string[]>} cursorsOf
 * @returns {Promise<Question[]>}
 */
export async function questions(cursorsOf) {
  /** @type {Question[]} */
  const all = [];
  const page = (/** @type {string} */ name, /** @type {any} */ where, /** @type {any} */ asked) =>
    all.push({ kind: 'pages', name: `page: ${name}`, where, page: asked });
  page('first', {}, { first: 20 });
  page('first 100', {}, { first: 100 });
  page('last', {}, { last: 20 });
  for (const month of ['02', '06', '10']) {
    const [cursor = ''] = await cursorsOf({ keptBefore: new Date(`2026-${month}-01`) }, { first: 1 });
    page(`after ${month}`, {}, { first: 20, after: cursor });
    page(`before ${month}`, {}, { last: 20, before: cursor });
    page(`style after ${month}`, { style: 'style-1' }, { first: 20, after: cursor });
    page(`style, genre after ${month}`, { style: 'style-1', genre: 'genre-1' }, { first: 20, after: cursor });
    page(`style, genre before ${month}`, { style: 'style-1', genre: 'genre-1' }, { last: 20, before: cursor });
    page(`favourites after ${month}`, { favourite: true }, { first: 20, after: cursor });
  }
  const everything = { ...singles, ...together };
  for (const [name, where] of Object.entries(everything)) {
    all.push({ kind: 'filters', name, where, page: { first: 20 } });
    all.push({ kind: 'facets', name: `facets: ${name}`, where, page: {} });
    all.push({ kind: 'counts', name: `count: ${name}`, where, page: {} });
  }
  for (const kind of /** @type {const} */ (['facets', 'counts']))
    all.push({ kind, name: `${kind}: all`, where: {}, page: {} });
  return all;
}
