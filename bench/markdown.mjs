// What the pages of the benchmarks are written with.

/** @param {readonly string[]} head @param {readonly (readonly (string | number)[])[]} rows */
export const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
/** @param {number | null | undefined} value @param {number} [digits] */
export const fixed = (value, digits = 2) => (typeof value === 'number' ? value.toFixed(digits) : '–');
/** @param {number} count */
export const grouped = (count) => count.toLocaleString('en-US');
/** @param {number} value */
export const percent = (value) => `${Math.round(value * 100)} %`;
/** @param {{ date: string, machine: string }} result */
export const where = ({ date, machine }) => `${machine}; ${date}.`;
