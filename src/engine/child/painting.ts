/** What a generator child answers to requests for pictures: latents are painted, uploads repainted, each kind together. */
import { AppError } from '../../core/errors.ts';
import type { KindJudgement, PaintRequest } from '../protocol.ts';
import type { LoadedModel } from './model-cache.ts';
import { latentOf } from './paint.ts';

/** -> bytes in the order of the requests: n x R x R x 3. @throws AppError UNKNOWN_LABEL, NO_DISCRIMINATOR */
export function paintAll(model: LoadedModel, pictures: readonly PaintRequest[]): Uint8Array {
  const places = pictures.map((_picture, i) => i);
  const repainted = places.filter((i) => 'pixels' in (pictures[i] ?? {}));
  if (repainted.length === 0) return fromLatents(model, pictures);
  const painted = places.filter((i) => !repainted.includes(i));
  const at = (some: readonly number[]) => some.flatMap((i) => pictures[i] ?? []);
  const { resolution } = model.card.config;
  const each = resolution * resolution * 3;
  const all = new Uint8Array(pictures.length * each);
  const put = (some: readonly number[], bytes: Uint8Array) => {
    some.forEach((place, i) => {
      all.set(bytes.subarray(i * each, (i + 1) * each), place * each);
    });
  };
  put(repainted, fromPictures(model, at(repainted)));
  if (painted.length > 0) put(painted, fromLatents(model, at(painted)));
  return all;
}

/** What D makes of a picture of the model's side. @throws AppError NO_DISCRIMINATOR */
export function classified({ net, critic }: Pick<LoadedModel, 'net' | 'critic'>, pixels: Uint8Array): KindJudgement[] {
  return critic.classify(pixels).map((probabilities, head) => {
    const kind = net.heads[head]?.kind;
    if (kind === undefined) throw new Error('The discriminator has more heads than its network');
    return { kind, labels: [...probabilities.subarray(0, -1)], fake: probabilities.at(-1) ?? 0 };
  });
}

function fromLatents(model: LoadedModel, pictures: readonly PaintRequest[]): Uint8Array {
  const { latentSize } = model.card.config;
  const latents = pictures.map((picture) => {
    if (!('latent' in picture)) throw new Error('A picture without a latent cannot be painted from one');
    return latentOf(picture.latent, picture.truncation, latentSize);
  });
  return model.painter.paint({ latents: joined(latents), y: rowsOf(model, pictures) });
}

function fromPictures(model: LoadedModel, pictures: readonly PaintRequest[]): Uint8Array {
  const { resolution } = model.card.config;
  const pixels = pictures.map((picture) => {
    if (!('pixels' in picture) || picture.pixels.length !== resolution * resolution * 3)
      throw new AppError('INVALID_INPUT', `The model repaints pictures of ${resolution} x ${resolution} pixels.`);
    return picture.pixels;
  });
  return model.critic.repaint({ pixels: Uint8Array.from(Buffer.concat(pixels)), y: rowsOf(model, pictures) });
}

function rowsOf({ rowOf }: LoadedModel, pictures: readonly PaintRequest[]): Float32Array {
  return joined(pictures.map(({ mix }) => rowOf(mix)));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}
