/** The grid that is drawn again at every sample step of a run: a column per label, a row per latent, always the same ones. */
import type { TrainConfig } from '../../core/presets.ts';
import { normal } from '../../core/seeds.ts';
import type { PackIndex } from '../../datasets/pack.ts';
import { conditionRows, type Labels } from '../gan/conditions.ts';
import type { Trainer } from '../gan/trainer.ts';
import type { Painter } from './paint.ts';

const COLUMNS = 8;
const ROWS = 4;

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly labels: readonly string[];
  readonly width: number;
  readonly height: number;
  /** RGB of the whole grid. */
  readonly pixels: Uint8Array;
}

interface GridOptions {
  readonly painter: Painter;
  readonly config: TrainConfig;
  readonly index: PackIndex;
  readonly seed: number;
}

export class SampleGrid {
  readonly #config: TrainConfig;
  readonly #trainer: Trainer;
  readonly #painter: Painter;
  readonly #columns: readonly { readonly head: number; readonly label: number; readonly name: string }[];
  readonly #latents: Float32Array;

  /** The columns are the labels with the most works, of styles where the run knows them. */
  constructor(trainer: Trainer, { painter, config, index, seed }: GridOptions) {
    this.#config = config;
    this.#trainer = trainer;
    this.#painter = painter;
    const head = Math.max(0, config.labelKinds.indexOf('style'));
    const kind = config.labelKinds[head] ?? 'style';
    this.#columns = index.labels[kind]
      .map(({ name, count }, label) => ({ head, label, name, count }))
      .sort((a, b) => b.count - a.count || a.label - b.label)
      .slice(0, COLUMNS);
    this.#latents = normal(seed, 'gridLatent', 0, ROWS * config.latentSize);
  }

  paint(): Grid {
    const columns = this.#columns.length;
    const { latentSize, resolution: side, labelKinds } = this.#config;
    const latents = new Float32Array(ROWS * columns * latentSize);
    for (let row = 0; row < ROWS; row++) {
      const latent = this.#latents.subarray(row * latentSize, (row + 1) * latentSize);
      for (let column = 0; column < columns; column++) latents.set(latent, (row * columns + column) * latentSize);
    }
    const labels: Labels = labelKinds.map((_kind, head) =>
      Int32Array.from({ length: ROWS * columns }, (_, i) => {
        const column = this.#columns[i % columns];
        return column?.head === head ? column.label : -1;
      }),
    );
    this.#painter.refresh(this.#trainer.average);
    const pictures = this.#painter.paint({ latents, y: conditionRows(this.#trainer.net, labels) });
    const pixels = tileGrid(pictures, { columns, rows: ROWS, side });
    return {
      columns,
      rows: ROWS,
      labels: this.#columns.map(({ name }) => name),
      width: columns * side,
      height: ROWS * side,
      pixels,
    };
  }
}

/** Pictures one after the other -> one picture of rows x columns. */
function tileGrid(
  pictures: Uint8Array,
  { columns, rows, side }: { columns: number; rows: number; side: number },
): Uint8Array {
  const line = side * 3;
  const out = new Uint8Array(pictures.length);
  for (let i = 0; i < rows * columns; i++) {
    const left = (i % columns) * line;
    const top = Math.floor(i / columns) * side;
    for (let y = 0; y < side; y++) {
      const from = (i * side + y) * line;
      out.set(pictures.subarray(from, from + line), (top + y) * columns * line + left);
    }
  }
  return out;
}
