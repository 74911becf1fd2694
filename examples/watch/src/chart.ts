/** Two losses by step, on a canvas. */

export interface Point {
  readonly step: number;
  readonly dLoss: number;
  readonly gLoss: number;
}

const MARGIN = 6;
/** What is drawn, and the text that has its colour. */
const LINES = [
  ['dLoss', '.d'],
  ['gLoss', '.g'],
] as const;

export class LossChart {
  readonly #canvas: HTMLCanvasElement;
  readonly #points: Point[] = [];
  #isPlanned = false;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  add(point: Point): void {
    this.#points.push(point);
    this.#plan();
  }

  clear(): void {
    this.#points.length = 0;
    this.#plan();
  }

  /** Once for all that comes before the next picture on the screen. */
  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    requestAnimationFrame(() => {
      this.#isPlanned = false;
      this.#draw();
    });
  }

  #draw(): void {
    const context = this.#canvas.getContext('2d');
    if (context === null) return;
    const { width, height } = this.#canvas;
    context.clearRect(0, 0, width, height);
    const [first, last] = [this.#points.at(0), this.#points.at(-1)];
    if (first === undefined || last === undefined) return;
    const losses = this.#points.flatMap(({ dLoss, gLoss }) => [dLoss, gLoss]);
    const top = losses.reduce((most, loss) => Math.max(most, loss), 0);
    const x = ({ step }: Point) => place(step, [first.step, last.step], [MARGIN, width - MARGIN]);
    const y = (loss: number) => place(loss, [0, top], [height - MARGIN, MARGIN]);
    for (const [which, name] of LINES) {
      context.strokeStyle = colourOf(name);
      context.beginPath();
      for (const point of this.#points) context.lineTo(x(point), y(point[which]));
      context.stroke();
    }
    this.#canvas.ariaLabel = `Losses by step: at ${last.step}, D ${last.dLoss.toFixed(2)}, G ${last.gLoss.toFixed(2)}`;
  }
}

/** That of the text which explains the line, in the light or dark of the page. */
function colourOf(name: string): string {
  const text = document.querySelector(name);
  return text === null ? 'gray' : getComputedStyle(text).color;
}

function place(value: number, [from, to]: readonly [number, number], [start, end]: readonly [number, number]): number {
  return to === from ? (start + end) / 2 : start + ((value - from) / (to - from)) * (end - start);
}
