/**
 * Models that leave the house: as folders under `<dataDir>/exports/<model>/<format>/`, written once, for a model never
 * changes. In our own format the model's folder itself is what is given away.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';
import { CARD_FILE, filesOf } from '../core/model-card.ts';
import { sha256OfFile } from '../datasets/pack-reader.ts';
import type { Generator } from '../engine/host/generator.ts';
import type { ModelRow } from '../store/tables.ts';
import type { ModelService } from './models.ts';

export const EXPORT_FORMATS = ['artgan', 'saved-model', 'tfjs'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ModelExport {
  readonly model: ModelRow;
  readonly format: ExportFormat;
  /** The file that a program opens comes first. */
  readonly files: readonly ExportedFile[];
}

export interface ExportServiceParts {
  readonly dataDir: string;
  readonly models: ModelService;
  readonly engine: Pick<Generator, 'exportModel'>;
}

const MAIN_FILES: Readonly<Record<ExportFormat, string>> = {
  artgan: CARD_FILE,
  'saved-model': 'saved_model.pb',
  tfjs: 'model.json',
};

export class ExportService {
  readonly #parts: ExportServiceParts;
  /** Exports under way: asked for twice, written once. */
  readonly #writing = new Map<string, Promise<void>>();

  constructor(parts: ExportServiceParts) {
    this.#parts = parts;
  }

  /** @throws AppError UNKNOWN_MODEL, DAMAGED_FILE, ENGINE_UNAVAILABLE, DISK_FULL */
  async export(modelId: string, format: ExportFormat): Promise<ModelExport> {
    const model = await this.#parts.models.resolve(modelId, ['input', 'model']);
    const folder = this.#folder(model, format);
    if (format !== 'artgan' && !(await isFolder(folder))) await this.#write(model, format);
    const main = MAIN_FILES[format];
    const names = format === 'artgan' ? [...filesOf(this.#parts.models.cardOf(model))] : await readdir(folder);
    const sorted = names.sort((a, b) => Number(b === main) - Number(a === main) || (a < b ? -1 : 1));
    return { model, format, files: await Promise.all(sorted.map((name) => describe(folder, name))) };
  }

  /** The path of an exported file. @throws AppError NOT_FOUND or UNKNOWN_MODEL */
  async file(modelId: string, format: string, name: string): Promise<string> {
    const known = EXPORT_FORMATS.find((one) => one === format);
    const model = await this.#parts.models.resolve(modelId);
    const path = known === undefined ? undefined : join(this.#folder(model, known), name);
    const own = filesOf(this.#parts.models.cardOf(model));
    const allowed = known === 'artgan' ? own.includes(name) : /^[\w-][\w.-]*$/.test(name);
    if (path === undefined || !allowed || !(await stat(path).catch(() => undefined))?.isFile())
      throw new AppError('NOT_FOUND', 'There is no such file. The mutation exportModel says what there is.');
    return path;
  }

  async #write(model: ModelRow, format: Exclude<ExportFormat, 'artgan'>): Promise<void> {
    const { models, engine } = this.#parts;
    const folder = this.#folder(model, format);
    const known = this.#writing.get(folder);
    if (known !== undefined) return known;
    const writing = engine
      .exportModel(models.folderOf(model), format, folder)
      .finally(() => this.#writing.delete(folder));
    this.#writing.set(folder, writing);
    return writing;
  }

  #folder(model: ModelRow, format: ExportFormat): string {
    const { dataDir, models } = this.#parts;
    return format === 'artgan' ? models.folderOf(model) : join(dataDir, 'exports', model.id, format);
  }
}

async function describe(folder: string, name: string): Promise<ExportedFile> {
  const path = join(folder, name);
  return { name, bytes: (await stat(path)).size, sha256: await sha256OfFile(path) };
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
