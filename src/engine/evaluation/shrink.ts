/** Pictures (RGB bytes, one after the other) of side `from` as ones of side `to`, a divisor of it: means over squares. */
export function shrunk(pictures: Uint8Array, { from, to }: { readonly from: number; readonly to: number }): Uint8Array {
  if (from === to) return pictures;
  const factor = from / to;
  const count = pictures.length / (from * from * 3);
  const out = new Uint8Array(count * to * to * 3);
  for (let at = 0; at < out.length; at++) {
    const channel = at % 3;
    const x = Math.floor(at / 3) % to;
    const y = Math.floor(at / (3 * to)) % to;
    const picture = Math.floor(at / (3 * to * to));
    let sum = 0;
    for (let down = 0; down < factor; down++) {
      const row = (picture * from + y * factor + down) * from + x * factor;
      for (let right = 0; right < factor; right++) sum += pictures[(row + right) * 3 + channel] ?? 0;
    }
    out[at] = Math.round(sum / factor ** 2);
  }
  return out;
}
