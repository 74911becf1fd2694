// npm run generate: asks the API for pictures and writes them, with a contact sheet, into a folder.
import './lib/node-version.mjs';

const { mkdir, writeFile } = await import('node:fs/promises');
const { join, relative, resolve } = await import('node:path');
const { ApiClient, defaultUrl, packaged } = await import('./lib/api-client.mjs');
const { decimal, readArguments, wholeNumber } = await import('./lib/arguments.mjs');
const { Stop } = await import('./lib/errors.mjs');
const { runScript } = await import('./lib/log.mjs');

const FORMATS = ['png', 'webp', 'jpeg', 'avif'];
const SHEET = 'contact-sheet.png';
/** Smaller pictures are enlarged on the sheet to this side, in pixels. */
const LEAST_TILE = 128;
const GAP = 8;

const HELP = `Paints pictures and writes them into a folder, with ${SHEET}.

  npm run generate -- --label "Ukiyo-e" -n 8 --out pictures

  --label TEXT        an artist, a style or a genre, by name or slug
  --artist TEXT       any combination of these three,
  --style TEXT        instead of --label
  --genre TEXT
  -n, --count N       how many: 1 to 64 (8)
  --out DIR           where to (pictures)
  --seed N            of the first picture; the others follow (drawn)
  --truncation X      0 to 1: nearer to 0 is nearer to the average picture (1)
  --model ID          which model paints (the default one)
  --format NAME       ${FORMATS.join(', ')} (png)
  --url URL           of the server (${defaultUrl()})`;

const OPTIONS = /** @type {const} */ ({
  label: { type: 'string' },
  artist: { type: 'string' },
  style: { type: 'string' },
  genre: { type: 'string' },
  count: { type: 'string', short: 'n' },
  out: { type: 'string' },
  seed: { type: 'string' },
  truncation: { type: 'string' },
  model: { type: 'string' },
  format: { type: 'string' },
});

/** @typedef {{ [K in keyof typeof OPTIONS]?: string | undefined }} Given */
/** @typedef {{ slug: string } | null} Label */
/** @typedef {{ seed: number, width: number, height: number, url: string, artist: Label, style: Label, genre: Label }} Picture */

/** @param {Given} given */
function variablesOf(given) {
  const { label, artist, style, genre, model } = given;
  const conditions = Object.fromEntries(
    Object.entries({ artist, style, genre }).filter(([, text]) => text !== undefined),
  );
  return {
    ...(label !== undefined && { label }),
    ...(Object.keys(conditions).length > 0 && { conditions }),
    ...(given.count !== undefined && { n: wholeNumber('count', given.count) }),
    ...(given.seed !== undefined && { seed: wholeNumber('seed', given.seed) }),
    ...(given.truncation !== undefined && { truncation: decimal('truncation', given.truncation) }),
    ...(model !== undefined && { model }),
    format: formatOf(given).toUpperCase(),
  };
}

/** @param {Given} given */
function formatOf({ format = 'png' }) {
  const name = format.toLowerCase() === 'jpg' ? 'jpeg' : format.toLowerCase();
  if (!FORMATS.includes(name)) throw new Stop(`--format must be one of ${FORMATS.join(', ')}, not "${format}".`);
  return name;
}

/** Where the user is: npm runs its scripts in the project's folder. */
function here() {
  return (process.env.npm_lifecycle_event === 'generate' && process.env.INIT_CWD) || process.cwd();
}

/**
 * @param {Picture} picture
 * @param {string} format
 */
function fileOf({ artist, style, genre, seed }, format) {
  const labels = [artist, style, genre].flatMap((label) => label?.slug ?? []);
  return `${[...labels, ...(labels.length > 0 ? [] : ['untitled']), seed].join('-')}.${format}`;
}

const loadSharp = () => packaged(() => import('sharp'));

/** All pictures in one, row by row in their order. @param {readonly Buffer[]} pictures @param {number} width */
async function contactSheet(pictures, width) {
  const { default: sharp } = await loadSharp();
  const tile = Math.max(LEAST_TILE, width);
  const columns = Math.ceil(Math.sqrt(pictures.length));
  const rows = Math.ceil(pictures.length / columns);
  /** @param {number} count */
  const side = (count) => count * (tile + GAP) + GAP;
  const tiles = pictures.map(async (picture, i) => ({
    input: await sharp(picture).resize(tile, tile).png().toBuffer(),
    left: side(i % columns),
    top: side(Math.floor(i / columns)),
  }));
  const background = { r: 255, g: 255, b: 255 };
  return sharp({ create: { width: side(columns), height: side(rows), channels: 3, background } })
    .composite(await Promise.all(tiles))
    .removeAlpha()
    .png()
    .toBuffer();
}

await runScript(async () => {
  const given = readArguments('generate', OPTIONS);
  if (given.help) return void console.log(HELP);
  const format = formatOf(given);
  const folder = resolve(here(), given.out ?? 'pictures');
  const api = new ApiClient(given.url ?? defaultUrl());
  await loadSharp();
  /** @type {{ generate: Picture[] }} */
  const { generate } = await api.run('generate-files', variablesOf(given));
  await mkdir(folder, { recursive: true });
  const pictures = [];
  for (const picture of generate) {
    const bytes = await api.download(picture.url);
    const file = join(folder, fileOf(picture, format));
    await writeFile(file, bytes);
    pictures.push(bytes);
    console.log(`${relative(here(), file)}  seed ${picture.seed}`);
  }
  const sheet = join(folder, SHEET);
  await writeFile(sheet, await contactSheet(pictures, generate[0]?.width ?? 0));
  console.log(relative(here(), sheet));
  return 0;
});
