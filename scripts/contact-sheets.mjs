// npm run contact-sheets: a strip of eight pictures for every label that the default model of a running server
// knows, a grid of its commonest styles, and docs/starter-labels.md that shows them. Made anew with each starter model.
import './lib/node-version.mjs';

const { mkdir, writeFile } = await import('node:fs/promises');
const { join } = await import('node:path');
const { ApiClient, defaultUrl, packaged } = await import('./lib/api-client.mjs');
const { readArguments } = await import('./lib/arguments.mjs');
const { runScript } = await import('./lib/log.mjs');
const { root } = await import('./lib/paths.mjs');

const HELP = `Paints a contact sheet for every label of the default model into docs/.

  npm run contact-sheets -- --url ${defaultUrl()}`;

const PICTURES = 8;
/** The first of the seeds; nothing is chosen. */
const SEED = 1;
const KINDS = /** @type {const} */ (['style', 'genre', 'artist']);

/** @typedef {{ __typename: string, slug: string, name: string, artworkCount: number }} Label */

/**
 * @param {InstanceType<typeof ApiClient>} api
 * @param {string} kind
 * @param {Label} label
 */
async function picturesOf(api, kind, { slug }) {
  const asked = { conditions: { [kind]: slug }, n: PICTURES, seed: SEED, format: 'PNG' };
  const { generate } = await api.run('generate-files', asked);
  return Promise.all(generate.map((/** @type {{ url: string }} */ { url }) => api.download(url)));
}

/**
 * Pictures of one size side by side.
 * @param {readonly Buffer[]} tiles
 * @param {number} columns
 */
async function sheet(tiles, columns) {
  const { default: sharp } = await packaged(() => import('sharp'));
  const { width: side = 0 } = await sharp(tiles[0]).metadata();
  const size = { width: columns * side, height: Math.ceil(tiles.length / columns) * side };
  const placed = tiles.map((input, i) => ({
    input,
    left: (i % columns) * side,
    top: Math.floor(i / columns) * side,
  }));
  return sharp({ create: { ...size, channels: 3, background: '#ffffff' } }).composite(placed);
}

/** @param {Label} label */
const strip = ({ __typename, slug }) => `pictures/labels/${__typename.toLowerCase()}/${slug}.webp`;

/** @param {readonly Label[]} labels */
function page(labels) {
  const rows = KINDS.flatMap((kind) => [
    `\n## By ${kind}\n\n| ${kind} | works | eight pictures |\n| --- | --- | --- |`,
    ...labels
      .filter(({ __typename }) => __typename.toLowerCase() === kind)
      .map((label) => `| ${label.name} | ${label.artworkCount} | ![${label.name}](${strip(label)}) |`),
  ]);
  const head = `# What the starter model paints, label by label

Written by \`npm run contact-sheets\`. Every strip has the seeds ${SEED} to ${SEED + PICTURES - 1}, and nothing is
chosen. Only the one label is asked for. A label with few works is learned by heart at best.`;
  return `${[head, ...rows].join('\n')}\n`;
}

await runScript(async () => {
  const given = readArguments('contact-sheets', {});
  if (given.help) return void console.log(HELP);
  const api = new ApiClient(given.url ?? defaultUrl());
  const { models } = await api.run('models', { first: 40 });
  const model = models.nodes.find((/** @type {{ isDefault: boolean }} */ { isDefault }) => isDefault);
  /** @type {Label[]} */
  const labels = [...model.labels].sort((a, b) => b.artworkCount - a.artworkCount || (a.slug < b.slug ? -1 : 1));
  const docs = join(root, 'docs');
  for (const kind of KINDS) await mkdir(join(docs, 'pictures', 'labels', kind), { recursive: true });
  /** @type {Buffer[][]} */
  const grid = [];
  for (const label of labels) {
    const kind = label.__typename.toLowerCase();
    const tiles = await picturesOf(api, kind, label);
    await writeFile(join(docs, strip(label)), await (await sheet(tiles, PICTURES)).webp({ quality: 85 }).toBuffer());
    if (kind === 'style' && grid.length < PICTURES) grid.push(tiles);
  }
  // A column per style.
  const tiles = Array.from({ length: PICTURES ** 2 }, (_, i) => grid[i % PICTURES]?.[Math.floor(i / PICTURES)]);
  const found = tiles.filter((tile) => tile !== undefined);
  await writeFile(
    join(docs, 'pictures', 'starter-styles.png'),
    await (await sheet(found, grid.length)).png().toBuffer(),
  );
  await writeFile(join(docs, 'starter-labels.md'), page(labels));
  return 0;
});
