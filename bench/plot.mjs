// Plots as SVG, plain enough to be read in a diff.

const SIZE = { width: 640, height: 320 };
const ROOM = { left: 64, right: 16, top: 36, bottom: 48 };
const COLOURS = ['#1864ab', '#e8590c', '#2b8a3e', '#862e9c', '#868e96'];
const inner = { width: SIZE.width - ROOM.left - ROOM.right, height: SIZE.height - ROOM.top - ROOM.bottom };

/** @param {number} value */
const number = (value) => Number(value.toPrecision(3)).toLocaleString('en-US');
/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** @param {string} title @param {readonly string[]} parts */
function svg(title, parts) {
  const { width, height } = SIZE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${ROOM.left}" y="20" font-size="14" font-weight="bold">${escaped(title)}</text>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

/** @param {number} most @param {(value: number) => number} y */
function gridLines(most, y) {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = most * share;
    const line = `<path d="M${ROOM.left} ${y(value)}H${SIZE.width - ROOM.right}" stroke="#dee2e6"/>`;
    return `${line}<text x="${ROOM.left - 8}" y="${y(value) + 4}" text-anchor="end">${number(value)}</text>`;
  });
}

/**
 * Lines through points whose x values stand at equal distances.
 * @param {{ title: string, xLabel: string, series: readonly { name: string, points: readonly (readonly [string, number])[] }[] }} plot
 */
export function lines({ title, xLabel, series }) {
  const most = Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value))) * 1.1;
  const count = series[0]?.points.length ?? 1;
  const x = (/** @type {number} */ i) => Math.round(ROOM.left + (inner.width * (i + 0.5)) / count);
  const y = (/** @type {number} */ value) => Math.round(ROOM.top + inner.height * (1 - value / most));
  return svg(title, [
    ...gridLines(most, y),
    ...(series[0]?.points ?? []).map(
      ([label], i) => `<text x="${x(i)}" y="${SIZE.height - 28}" text-anchor="middle">${escaped(label)}</text>`,
    ),
    `<text x="${SIZE.width / 2}" y="${SIZE.height - 8}" text-anchor="middle">${escaped(xLabel)}</text>`,
    ...series.flatMap(({ points }, s) => {
      const colour = COLOURS[s % COLOURS.length];
      const path = points.map(([, value], i) => `${i === 0 ? 'M' : 'L'}${x(i)} ${y(value)}`).join('');
      return [
        `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...points.map(
          ([, value], i) =>
            `<circle cx="${x(i)}" cy="${y(value)}" r="3" fill="${colour}"/><text x="${x(i)}" y="${y(value) - 8}" text-anchor="middle">${number(value)}</text>`,
        ),
      ];
    }),
  ]);
}

/**
 * Bars in groups.
 * @param {{ title: string, names: readonly string[], groups: readonly { label: string, values: readonly (number | null)[] }[] }} plot
 */
export function bars({ title, names, groups }) {
  const most = Math.max(...groups.flatMap(({ values }) => values.map((value) => value ?? 0))) * 1.1;
  const y = (/** @type {number} */ value) => Math.round(ROOM.top + inner.height * (1 - value / most));
  const wide = inner.width / groups.length;
  const each = Math.floor((wide * 0.8) / names.length);
  return svg(title, [
    ...gridLines(most, y),
    ...groups.flatMap(({ label, values }, g) => {
      const left = Math.round(ROOM.left + wide * (g + 0.1));
      return [
        `<text x="${Math.round(left + wide * 0.4)}" y="${SIZE.height - 28}" text-anchor="middle">${escaped(label)}</text>`,
        ...values.map((value, i) =>
          value === null
            ? ''
            : `<rect x="${left + i * each}" y="${y(value)}" width="${each - 3}" height="${y(0) - y(value)}" fill="${COLOURS[i]}"/><text x="${Math.round(left + i * each + each / 2)}" y="${y(value) - 4}" text-anchor="middle" font-size="11">${number(value)}</text>`,
        ),
      ];
    }),
    ...names.map((name, i) => {
      const left = ROOM.left + i * Math.floor(inner.width / names.length);
      const swatch = `<rect x="${left}" y="${SIZE.height - 18}" width="10" height="10" fill="${COLOURS[i]}"/>`;
      return `${swatch}<text x="${left + 14}" y="${SIZE.height - 9}">${escaped(name)}</text>`;
    }),
  ]);
}
