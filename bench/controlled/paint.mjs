// A controlled collection, painted by this script and said to be: palette, stroke and motif are independent of each other,
// as artist, style and genre never are. A quarter of the 64 combinations can be held out.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { load } from '../sides/measure.mjs';

const { uniform } = await load('core/seeds.js');

/** Background, and two colours of the motif. */
const PALETTES = {
  ember: ['#2b1210', '#d9480f', '#ffd43b'],
  harbour: ['#0b2545', '#8da9c4', '#eef4ed'],
  meadow: ['#e9f5db', '#2d6a4f', '#95d5b2'],
  orchid: ['#f8e8f5', '#6a0572', '#d65db1'],
};
const STROKES = ['dots', 'dashes', 'hatching', 'blots'];
const MOTIFS = ['disc', 'hills', 'columns', 'cross'];
const SIDE = 72;
const MARKS = 420;

/** @typedef {{ artist: string, style: string, genre: string }} Combination */

/** All of them; each label is in four of the sixteen that are held out. @returns {(Combination & { heldOut: boolean })[]} */
export function combinations() {
  return Object.keys(PALETTES).flatMap((artist, p) =>
    STROKES.flatMap((style, s) => MOTIFS.map((genre, m) => ({ artist, style, genre, heldOut: (p + s + m) % 4 === 0 }))),
  );
}

/** Whether a place (0..1 each) belongs to the motif, which lies a little elsewhere in each picture. */
const INSIDE = {
  disc: (/** @type {number} */ x, /** @type {number} */ y) => Math.hypot(x - 0.5, y - 0.5) < 0.3,
  hills: (/** @type {number} */ x, /** @type {number} */ y) => y > 0.6 + 0.16 * Math.sin(x * 7),
  columns: (/** @type {number} */ x) => Math.abs(((((x * 3) % 1) + 1) % 1) - 0.5) < 0.22,
  cross: (/** @type {number} */ x, /** @type {number} */ y) => Math.abs(x - 0.5) < 0.12 || Math.abs(y - 0.5) < 0.12,
};

/** @param {string} stroke @param {{ x: number, y: number, size: number, colour: string }} mark */
function markOf(stroke, { x, y, size, colour }) {
  switch (stroke) {
    case 'dots':
      return `<circle cx="${x}" cy="${y}" r="${1.2 + size}" fill="${colour}"/>`;
    case 'dashes':
      return `<rect x="${x - 5}" y="${y - 1}" width="${8 + 4 * size}" height="2" fill="${colour}"/>`;
    case 'hatching':
      return `<path d="M${x - 5} ${y + 5}L${x + 5} ${y - 5}" stroke="${colour}" stroke-width="${1.4 + size / 2}"/>`;
    default:
      return `<circle cx="${x}" cy="${y}" r="${5 + 3 * size}" fill="${colour}" fill-opacity="0.55"/>`;
  }
}

/** @param {Combination} combination @param {number} seed */
function svgOf({ artist, style, genre }, seed) {
  const [ground = '', first = '', second = ''] = PALETTES[/** @type {keyof typeof PALETTES} */ (artist)];
  const [shiftX = 0, shiftY = 0, ...chances] = uniform(seed, 'evaluation', 0, 2 + MARKS * 4);
  const inside = INSIDE[/** @type {keyof typeof INSIDE} */ (genre)];
  const marks = Array.from({ length: MARKS }, (_, i) => {
    const [x = 0, y = 0, size = 0, pick = 0] = chances.slice(i * 4, i * 4 + 4);
    const isMotif = inside(x + (shiftX - 0.5) * 0.25, y + (shiftY - 0.5) * 0.25);
    if (!isMotif && pick > 0.25) return '';
    const colour = isMotif ? (pick < 0.5 ? first : second) : ground;
    return markOf(style, { x: x * SIDE, y: y * SIDE, size, colour });
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}"><rect width="100%" height="100%" fill="${ground}"/>${marks.join('')}</svg>`;
}

/** Paints so many pictures of each combination into a folder, with a manifest. @param {string} folder @param {{ each: number, withHeldOut: boolean }} options */
export async function paintCollection(folder, { each, withHeldOut }) {
  mkdirSync(folder, { recursive: true });
  const lines = ['file,artist,style,genre'];
  let seed = 0;
  for (const { heldOut, ...combination } of combinations()) {
    for (let i = 0; i < each; i++) {
      seed++;
      if (heldOut && !withHeldOut) continue;
      const { artist, style, genre } = combination;
      const file = `${artist}-${style}-${genre}-${i}.png`;
      await sharp(Buffer.from(svgOf(combination, seed)))
        .png()
        .toFile(join(folder, file));
      lines.push(`${file},${artist},${style},${genre}`);
    }
  }
  writeFileSync(join(folder, 'manifest.csv'), `${lines.join('\n')}\n`);
}
