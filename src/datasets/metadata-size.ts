/**
 * How much a file says beside its pixels, by its own table of contents: what decoders copy several times over before
 * anything can be asked of them. Formats that have no such table, or whose table cannot be read, have 0. Pure.
 */

/** Tags of a TIFF that hold blocks of any length: XMP, IPTC, Photoshop's, the colour profile. */
const BLOCK_TAGS = [700, 33_723, 34_377, 34_675];
/** Bytes of each of the types of a TIFF, from 1 on. */
const TYPE_BYTES = [1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const PIXEL_CHUNKS_OF_RIFF = ['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF'];

export function metadataBytes(bytes: Uint8Array): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 16) return 0;
  switch (view.toString('latin1', 0, 4)) {
    case '\x89PNG':
      return ofPng(view);
    case 'RIFF':
      return ofRiff(view);
    case 'II*\0':
      return ofTiff(view, view.readUInt32LE(4), 'LE');
    case 'MM\0*':
      return ofTiff(view, view.readUInt32BE(4), 'BE');
    default:
      return 0;
  }
}

/** Chunks whose names begin with a small letter may be left out. What lies behind the last one no decoder reads. */
function ofPng(view: Buffer): number {
  let sum = 0;
  for (let at = 8; at + 8 <= view.length; at += 12 + view.readUInt32BE(at)) {
    if (view.toString('latin1', at + 4, at + 8) === 'IEND') break;
    if (((view[at + 4] ?? 0) & 0x20) !== 0) sum += Math.min(12 + view.readUInt32BE(at), view.length - at);
  }
  return sum;
}

function ofRiff(view: Buffer): number {
  let sum = 0;
  const end = Math.min(view.length, view.readUInt32LE(4) + 8);
  for (let at = 12; at + 8 <= end; ) {
    const length = view.readUInt32LE(at + 4);
    if (!PIXEL_CHUNKS_OF_RIFF.includes(view.toString('latin1', at, at + 4))) sum += Math.min(length, end - at);
    at += 8 + length + (length % 2);
  }
  return sum;
}

/** Of the first directory, which is the one that is decoded. */
function ofTiff(view: Buffer, start: number, order: 'LE' | 'BE'): number {
  const two = (at: number) => (order === 'LE' ? view.readUInt16LE(at) : view.readUInt16BE(at));
  const four = (at: number) => (order === 'LE' ? view.readUInt32LE(at) : view.readUInt32BE(at));
  if (start + 2 > view.length) return 0;
  let sum = 0;
  const end = start + 2 + two(start) * 12;
  for (let at = start + 2; at + 12 <= Math.min(end, view.length); at += 12)
    if (BLOCK_TAGS.includes(two(at))) sum += Math.min(four(at + 4) * (TYPE_BYTES[two(at + 2) - 1] ?? 1), view.length);
  return sum;
}
