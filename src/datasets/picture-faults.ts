/** Why a file is not a picture that we read: by its first bytes, and by what libvips said. Pure. */
import { BadPicture, plain } from './entry.ts';

/** Formats that are pictures, or look like some, but are never given to a decoder: first bytes (hexadecimal), name. */
const CLOSED: readonly (readonly [string, string])[] = [
  ['255044462d', 'a PDF document'],
  ['25215053', 'a PostScript document'],
  ['38425053', 'a Photoshop file'],
  ['424d', 'a BMP'],
  ['00000100', 'an icon'],
  ['0000000c4a584c20', 'a JPEG XL picture'],
  ['ff0a', 'a JPEG XL picture'],
  ['0000000c6a5020', 'a JPEG 2000 picture'],
  ['ff4fff51', 'a JPEG 2000 picture'],
  ['762f3101', 'an OpenEXR picture'],
  ['233f52414449414e4345', 'a Radiance picture'],
  ['53494d504c452020', 'a FITS file'],
];
/** HEVC inside, which is not free to decode; AVIF has the same container. */
const HEIC = /^ftyphe(ic|ix|vc|vx|im|is)$/;
const MARKUP = /^\s*<(\?xml|!doctype|!--|svg|html|head|body)/i;

/** A refusal where the first bytes tell enough; undefined: worth a try by a decoder. */
export function signatureOf(bytes: Uint8Array): BadPicture | undefined {
  const first = Buffer.from(bytes.subarray(0, 512));
  const hex = first.toString('hex');
  const closed = CLOSED.find(([prefix]) => hex.startsWith(prefix));
  if (closed !== undefined)
    return new BadPicture('UNSUPPORTED', `It is ${closed[1]}. Convert it to JPEG, PNG, WebP, AVIF, TIFF or GIF.`);
  if (HEIC.test(first.toString('latin1', 4, 12)))
    return new BadPicture('UNSUPPORTED', 'It is a HEIC picture. Convert it to JPEG, PNG, WebP, AVIF, TIFF or GIF.');
  const start = first.toString('utf8').replace(/^\ufeff/, '');
  if (MARKUP.test(start) || (bytes[0] === 0x1f && bytes[1] === 0x8b))
    return /<svg/i.test(start)
      ? new BadPicture('UNSUPPORTED', 'It is an SVG drawing. Convert it to JPEG, PNG, WebP, AVIF, TIFF or GIF.')
      : new BadPicture('NOT_AN_IMAGE', 'Its content is a text or an archive, not a picture.');
  return undefined;
}

/** Whether the file says itself that it should be longer, where decoders do not tell: WebP, TIFF, PNG. */
function isCutShort(bytes: Uint8Array): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 16) return false;
  switch (view.toString('latin1', 0, 4)) {
    case 'RIFF': // its length
      return view.readUInt32LE(4) + 8 > view.length;
    case 'II*\0': // the place of its directory
      return view.readUInt32LE(4) >= view.length;
    case 'MM\0*':
      return view.readUInt32BE(4) >= view.length;
    case '\x89PNG':
      return !hasLastChunk(view);
    default:
      return false;
  }
}

/** A PNG is a chain of chunks, each with its length, up to the one called IEND. */
function hasLastChunk(view: Buffer): boolean {
  for (let at = 8; at + 12 <= view.length; at += 12 + view.readUInt32BE(at))
    if (view.toString('latin1', at + 4, at + 8) === 'IEND') return true;
  return false;
}

const ENDS_EARLY =
  /premature end|bad seek|truncat|unexpected end|end of (file|stream|image|input)|too short|not enough data/i;

/**
 * What a decoder's error means for the person who owns the file (its content: `bytes`). Errors of another kind come back
 * as they are.
 */
export function readableFault(error: unknown, bytes: Uint8Array): unknown {
  if (error instanceof BadPicture || !(error instanceof Error)) return error;
  const said = plain(error.message.split('\n')[0] ?? '').slice(0, 200);
  if (/pixel limit/i.test(said)) return new BadPicture('TOO_LARGE', 'It has too many pixels.', error);
  if (/timeout/i.test(said)) return new BadPicture('TOO_SLOW', 'Decoding it took too long.', error);
  if (isCutShort(bytes) || ENDS_EARLY.test(said))
    return new BadPicture('TRUNCATED', `The file ends before its picture does (${said}).`, error);
  if (/unsupported image format/i.test(said))
    return new BadPicture('NOT_AN_IMAGE', 'Its content is not a picture that we know.', error);
  return new BadPicture('DAMAGED', `It cannot be decoded (${said}).`, error);
}
