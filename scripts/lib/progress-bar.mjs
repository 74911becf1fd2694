// A training run as one line: a bar that is rewritten in place on a terminal, plain lines elsewhere.

/**
 * @typedef {object} Progress
 * @property {number} step
 * @property {number} totalSteps
 * @property {number | undefined} [dLoss]
 * @property {number | undefined} [gLoss]
 * @property {number | null | undefined} [l2Loss]
 * @property {number | undefined} [imagesPerSecond]
 * @property {number | null | undefined} [etaSeconds]
 */

const MOST_BAR = 30;
const LEAST_BAR = 8;
const PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * Never wider than the terminal: it could not be rewritten then.
 * @param {Progress} progress
 * @param {number} columns  of the terminal
 */
export function barLine(progress, columns) {
  const { step, totalSteps, imagesPerSecond } = progress;
  const share = shareOf(progress);
  const speed = imagesPerSecond === undefined ? '' : `${figure(imagesPerSecond)} img/s`;
  const text = parts([percent(share), `${step}/${totalSteps}`, losses(progress, 2), speed, left(progress)]);
  const width = Math.min(MOST_BAR, columns - text.length - 4);
  const line = width < LEAST_BAR ? text : `${bar(share, width)} ${text}`;
  return line.slice(0, Math.max(0, columns - 1));
}

/** @param {Progress} progress */
export function plainLine(progress) {
  const { step, totalSteps, imagesPerSecond } = progress;
  const speed = imagesPerSecond === undefined ? '' : `${figure(imagesPerSecond)} images/s`;
  const share = percent(shareOf(progress));
  return parts([share, `step ${step}/${totalSteps}`, losses(progress, 3), speed, left(progress)]);
}

/**
 * @param {number} share
 * @param {number} width
 */
function bar(share, width) {
  const eighths = Math.round(share * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8)) + PARTS[eighths % 8];
  return `▕${full.padEnd(width)}▏`;
}

/** @param {Progress} progress */
function shareOf({ step, totalSteps }) {
  return totalSteps > 0 ? Math.min(1, step / totalSteps) : 0;
}

/** @param {number} share */
function percent(share) {
  return `${Math.floor(share * 100)} %`.padStart(5);
}

/**
 * @param {Progress} progress
 * @param {number} digits
 */
function losses({ dLoss, gLoss, l2Loss }, digits) {
  const named = Object.entries({ D: dLoss, G: gLoss, L2: l2Loss });
  return named.flatMap(([name, loss]) => (typeof loss === 'number' ? `${name} ${loss.toFixed(digits)}` : [])).join(' ');
}

/** @param {number} number */
function figure(number) {
  return number.toFixed(number < 10 ? 1 : 0);
}

/** @param {Progress} progress */
function left({ step, totalSteps, etaSeconds }) {
  return step < totalSteps && typeof etaSeconds === 'number' ? `${duration(etaSeconds)} left` : '';
}

/** @param {readonly string[]} texts */
function parts(texts) {
  return texts.filter((text) => text !== '').join('  ');
}

/** @param {number} seconds  @returns {string} e.g. "45 s", "3 min 20 s", "2 h 5 min" */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Where a run's progress is shown. `note` writes a line that stays. */
export class ProgressBar {
  /** @type {{ write(text: string): unknown, isTTY?: boolean, columns?: number }} */
  #stream;
  /** @type {Progress | undefined} */
  #shown;
  #percent = -1;

  /** @param {{ write(text: string): unknown, isTTY?: boolean, columns?: number }} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  /** On a terminal at once; elsewhere a line for each percent. @param {Progress} progress */
  show(progress) {
    this.#shown = progress;
    if (this.#stream.isTTY) return this.#draw();
    const reached = Math.floor(shareOf(progress) * 100);
    if (reached === this.#percent) return;
    this.#percent = reached;
    this.#stream.write(`${plainLine(progress)}\n`);
  }

  /** @param {string} line */
  note(line) {
    if (!this.#stream.isTTY) return void this.#stream.write(`${line}\n`);
    this.#stream.write(`\r\x1b[2K${line}\n`);
    this.#draw();
  }

  /** Leaves the last state on its own line. */
  end() {
    if (this.#stream.isTTY && this.#shown !== undefined) this.#stream.write('\n');
    this.#shown = undefined;
  }

  #draw() {
    if (this.#shown === undefined) return;
    this.#stream.write(`\r\x1b[2K${barLine(this.#shown, this.#stream.columns || 80)}`);
  }
}
