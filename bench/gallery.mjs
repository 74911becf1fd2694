// npm run bench:gallery [-- --pictures 1000000 --times 40 --databases pglite,postgres]
// A gallery of a million pictures: how long pages, filters, facets and lengths take, by the functions of the store and over
// HTTP, on the embedded database and on a PostgreSQL. Every question is asked once before it is timed. The last line is JSON.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { sql } from 'drizzle-orm';
import pg from 'pg';
import { runnerImport } from 'vite';
import { runScript, say } from '../scripts/lib/log.mjs';
import { dist, root } from '../scripts/lib/paths.mjs';
import { setUp } from '../scripts/lib/setup.mjs';
import { questions } from './gallery-questions.mjs';
import { fillGallery } from './gallery-rows.mjs';
import { keepResult } from './results.mjs';
import { startServer } from './server.mjs';

const settings = parseArgs({
  options: {
    pictures: { type: 'string', default: '1000000' },
    times: { type: 'string', default: '40' },
    databases: { type: 'string', default: 'pglite,postgres' },
  },
}).values;
const PICTURES = Number(settings.pictures);
const TIMES = Number(settings.times);
const QUERY = `query ($where: GeneratedImageWhere, $first: Int, $last: Int, $after: String, $before: String) {
  generatedImages(where: $where, first: $first, last: $last, after: $after, before: $before) {
    nodes { id url artist { name } style { name } } pageInfo { hasNextPage endCursor }
  }
}`;
const FACETS = `query ($where: GeneratedImageWhere) { generatedImages(where: $where, first: 1) { facets {
  artists { label { name } count } styles { label { name } count } genres { label { name } count }
  models { model { name } count } tags { tag count } collections { collection { name } count } favourites { count isExact }
} } }`;
const COUNT = 'query ($where: GeneratedImageWhere) { generatedImages(where: $where, first: 1) { totalCount } }';

/** @param {string} file  below dist/ */
const load = (file) => import(pathToFileURL(join(dist, file)).href);

/** @param {readonly number[]} times */
function told(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN).toFixed(1));
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1), asked: sorted.length };
}

/**
 * @param {readonly import('./gallery-questions.mjs').Question[]} all
 * @param {(question: import('./gallery-questions.mjs').Question) => Promise<unknown>} ask
 */
async function measured(all, ask) {
  for (const question of all) await ask(question);
  /** @type {Map<string, number[]>} */
  const classes = new Map();
  /** @type {Map<string, number[]>} */
  const single = new Map();
  // All of them in turn, so that none is alone in the caches.
  for (let i = 0; i < TIMES; i++) {
    for (const question of all) {
      const start = performance.now();
      await ask(question);
      const took = performance.now() - start;
      classes.set(question.kind, [...(classes.get(question.kind) ?? []), took]);
      single.set(question.name, [...(single.get(question.name) ?? []), took]);
    }
  }
  const worst = [...single].map(([name, times]) => ({ name, p50: told(times).p50, p99: told(times).p99 }));
  return {
    ...Object.fromEntries([...classes].map(([kind, times]) => [kind, told(times)])),
    slowest: worst.toSorted((a, b) => b.p50 - a.p50).slice(0, 5),
  };
}

/**
 * @template T
 * @param {{ dataDir: string, databaseUrl: string | undefined }} where @param {(store: any) => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withStore(where, work) {
  const { openStore } = await load('store/db.js');
  const store = await openStore(where);
  try {
    return await work(store);
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

/** @param {any} store @param {string | undefined} databaseUrl */
async function fill(store, databaseUrl) {
  const start = performance.now();
  const tell = (/** @type {string} */ what) => say(`  ${what}: ${Math.round((performance.now() - start) / 1000)} s`);
  if (databaseUrl === undefined)
    return fillGallery((statement) => store.db.execute(sql.raw(statement)), PICTURES, tell);
  // Without the pool's bounds: an index of a million rows takes its time.
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await fillGallery((statement) => client.query(statement), PICTURES, tell);
  } finally {
    await client.end();
  }
}

/** @param {{ db: any }} store */
async function byStore({ db }) {
  const [{ imageList }, { pickImages }, { facetsOf, FACETS: all }, { countRows, readPage }] = await Promise.all(
    ['images', 'gallery-filter', 'gallery-facets', 'page'].map((file) => load(`store/${file}.js`)),
  );
  const asked = await questions(async (where, page) => {
    const { cursors } = await readPage(db, imageList(await pickImages(db, where)), page);
    return cursors;
  });
  const result = await measured(asked, async ({ kind, where, page }) => {
    const picked = await pickImages(db, where);
    if (kind === 'counts') return countRows(db, imageList(picked));
    if (kind === 'facets') return facetsOf(db, { picked, kind: undefined, facets: all, first: 20 }, ['']);
    const { hasNextPage } = await readPage(db, imageList(picked), page);
    return hasNextPage();
  });
  return { result, asked };
}

/**
 * @param {{ dataDir: string, databaseUrl: string | undefined }} where
 * @param {readonly import('./gallery-questions.mjs').Question[]} asked
 */
async function byHttp({ dataDir, databaseUrl }, asked) {
  const own = { DATA_DIR: dataDir, DEVICE: 'cpu' };
  const server = await startServer(databaseUrl === undefined ? own : { ...own, DATABASE_URL: databaseUrl });
  const { encodeGlobalId } = await load('core/global-id.js');
  try {
    return await measured(asked, async ({ kind, where: { model, ...where }, page }) => {
      const query = kind === 'counts' ? COUNT : kind === 'facets' ? FACETS : QUERY;
      const filter = { ...where, ...(model === undefined ? {} : { model: encodeGlobalId('Model', model) }) };
      const body = JSON.stringify({ query, variables: { where: filter, ...page } });
      const headers = { 'content-type': 'application/json' };
      const { errors } = /** @type {any} */ (
        await (await fetch(`${server.url}/graphql`, { method: 'POST', headers, body })).json()
      );
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
    });
  } finally {
    await server.close();
  }
}

/** @param {string} kind */
async function database(kind) {
  const dataDir = mkdtempSync(join(tmpdir(), 'artgan-gallery-'));
  const server = kind === 'postgres' ? await startPostgres() : undefined;
  const where = { dataDir, databaseUrl: server?.url };
  try {
    say(`${kind}: ${PICTURES} pictures`);
    await withStore(where, (store) => fill(store, server?.url));
    const { result: store, asked } = await withStore(where, byStore);
    say(`${kind}, store: ${JSON.stringify(store)}`);
    const http = await byHttp(where, asked);
    say(`${kind}, HTTP: ${JSON.stringify(http)}`);
    // Beside other work everything takes longer.
    return { store, http, load: Number((loadavg()[0] ?? 0).toFixed(1)) };
  } finally {
    await server?.[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** As the tests have it. */
async function startPostgres() {
  const file = join(root, 'test', 'helpers', 'postgres.ts');
  const { module } = await runnerImport(file, { configFile: false, logLevel: 'error', root });
  const { findPostgres, startPostgres: start } = /** @type {any} */ (module);
  return start(await findPostgres());
}

await runScript(async () => {
  await setUp();
  /** @type {Record<string, Awaited<ReturnType<typeof database>>>} */
  const results = {};
  for (const kind of settings.databases.split(',')) results[kind] = await database(kind);
  const p99 = (/** @type {'pages' | 'filters' | 'facets' | 'counts'} */ kind) =>
    Object.fromEntries(
      Object.entries(results).flatMap(([name, { store, http }]) => [
        [name, /** @type {any} */ (store)[kind]?.p99],
        [`${name}Http`, /** @type {any} */ (http)[kind]?.p99],
      ]),
    );
  const summary = { pages: p99('pages'), filters: p99('filters'), facets: p99('facets'), counts: p99('counts') };
  keepResult('gallery', { pictures: PICTURES, ...summary, databases: results });
  process.stdout.write(`${JSON.stringify(summary)}\n`);
});
// Children that were left behind by an error would keep it alive.
process.exit();
