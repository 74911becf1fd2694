/**
 * What a generator child answers. Requests stand in a line; paintings that come one after another are painted together, as far
 * as that is faster: whoever asks need not know how many pictures that is.
 */
import { AppError, unreachable } from '../../core/errors.ts';
import type { FromGenerator, ToGenerator } from '../protocol.ts';
import type { ModelCache } from './model-cache.ts';
import { adoptModel, exportModel } from './model-files.ts';
import { rowsFor } from './paint.ts';
import { classified, paintAll } from './painting.ts';

type PaintingRequest = Extract<ToGenerator, { type: 'paint' }>;

/** Of the next four. */
const WASTED_ROWS = 1;

/**
 * Takes out of the line what is done next: one request, or paintings by one model, for `most` pictures or those of the first.
 * The last ones are left for next time where half of their rows would be painted for nobody.
 */
export function takeNext(line: ToGenerator[], most: number): ToGenerator[] {
  let pictures = 0;
  let count = 1;
  for (const [i, request] of line.entries()) {
    if (request.type !== 'paint' || !isOfOneModel(request, line[0])) break;
    pictures += request.pictures.length;
    if (i > 0 && pictures > most) break;
    if (rowsFor(pictures) - pictures <= WASTED_ROWS) count = i + 1;
  }
  return line.splice(0, count);
}

function isOfOneModel(request: PaintingRequest, first: ToGenerator | undefined): boolean {
  return first?.type === 'paint' && first.modelDir === request.modelDir;
}

/** Answers to what `takeNext` gave. What is wrong with one of several paintings does not keep the others from being painted. */
export function answersTo(requests: readonly ToGenerator[], models: ModelCache): FromGenerator[] {
  try {
    return [answerTo(requests, models)];
  } catch (error) {
    const [request] = requests;
    if (requests.length !== 1 || request === undefined) return requests.flatMap((each) => answersTo([each], models));
    const code = error instanceof AppError ? error.code : null;
    const message = error instanceof Error ? error.message : String(error);
    return [{ type: 'refused', id: request.id, code, message }];
  }
}

/** Of several, all are paintings by the model of the first. */
function answerTo(requests: readonly ToGenerator[], models: ModelCache): FromGenerator {
  const [request] = requests;
  if (request === undefined) throw new Error('There is nothing to answer');
  const { id } = request;
  switch (request.type) {
    case 'paint': {
      const paintings = requests.flatMap((each) => (each.type === 'paint' ? [each] : []));
      const parts = paintings.map((each) => ({ id: each.id, pictures: each.pictures.length }));
      const model = models.get(request.modelDir);
      const { resolution } = model.card.config;
      const pixels = paintAll(
        model,
        paintings.flatMap(({ pictures }) => pictures),
      );
      return { type: 'painted', parts, width: resolution, height: resolution, pixels };
    }
    case 'classify':
      return { type: 'classified', id, kinds: classified(models.get(request.modelDir), request.pixels) };
    case 'export':
      exportModel(request.modelDir, request.format, request.into);
      return { type: 'written', id };
    case 'adopt':
      adoptModel(request.from, request.into);
      return { type: 'written', id };
    default:
      return unreachable(request);
  }
}
