/** What the address of a picture and the headers of its request ask for. */
import type { Request } from 'express';
import { AppError } from '../core/errors.ts';
import { type Encoding, mediaType, type PictureFormat } from '../services/pictures.ts';

export interface AskedPicture {
  readonly id: string;
  /** Undefined: the client accepts none that there is. */
  readonly encoding: Encoding | undefined;
  /** Whether the Accept header has chosen the format. */
  readonly isNegotiated: boolean;
  /** To be saved, not shown. */
  readonly isDownload: boolean;
}

const formats: ReadonlyMap<string, PictureFormat> = new Map([
  ['png', 'png'],
  ['webp', 'webp'],
  ['jpg', 'jpeg'],
  ['jpeg', 'jpeg'],
  ['avif', 'avif'],
]);
/** Animations are written in this one alone. */
export const MOVING: ReadonlyMap<string, PictureFormat> = new Map([['webp', 'webp']]);

/** For clients that take anything the first one: every browser shows it, and it is made in a tenth of AVIF's time. */
const OFFERED: readonly PictureFormat[] = ['webp', 'avif', 'jpeg', 'png'];

/**
 * `<id>.<extension>`, or `<id>` for the format that the client likes best; `?w=` pixels; `?download=1`.
 * @throws AppError INVALID_INPUT or NOT_FOUND
 */
export function askedPicture(request: Request<{ file: string }>, known = formats): AskedPicture {
  const { file } = request.params;
  const { w, download } = request.query;
  const [, id, extension] = /^([\w-]+)(?:\.([a-z]+))?$/.exec(file) ?? [];
  if (id === undefined) throw new AppError('NOT_FOUND', 'There is no such picture.');
  const format = extension === undefined ? likedBest(request, known) : known.get(extension);
  if (extension !== undefined && format === undefined) {
    const names = [...known.keys()].join(', ');
    throw new AppError('INVALID_INPUT', `Pictures are served as ${names}, not as ${extension}.`);
  }
  return {
    id,
    encoding: format === undefined ? undefined : { format, width: widthOf(w) },
    isNegotiated: extension === undefined,
    isDownload: download === '1',
  };
}

/** By q-values, then as exactly as it is named, then in the client's order. */
function likedBest(request: Request<{ file: string }>, known: ReadonlyMap<string, PictureFormat>) {
  const offered = OFFERED.filter((format) => [...known.values()].includes(format));
  const liked = request.accepts(offered.map(mediaType));
  return offered.find((format) => mediaType(format) === liked);
}

/** Anything that is no number is refused with the bounds, like a number outside of them. */
function widthOf(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  return typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) : -1;
}
