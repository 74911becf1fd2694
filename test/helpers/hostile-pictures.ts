/** Files that somebody made to do harm, or that are no pictures: each made when it is asked for, none kept in the project. */
import { crc32, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { flat, noisy, quarters } from '../datasets/fixtures.ts';

/** `READY`: it is a picture, once what is bad has been left out. */
export type Told = 'TOO_LARGE' | 'UNSUPPORTED_PICTURE' | 'BAD_PICTURE' | 'READY';

export interface Hostile {
  readonly name: string;
  readonly bytes: () => Promise<Buffer> | Buffer;
  /** One of these is what is told of it. */
  readonly told: readonly Told[];
}

const REFUSED: readonly Told[] = ['TOO_LARGE', 'UNSUPPORTED_PICTURE', 'BAD_PICTURE'];
const one = (name: string, told: Told | readonly Told[], bytes: Hostile['bytes']): Hostile => ({
  name,
  told: [told].flat(),
  bytes,
});

const MIB = 2 ** 20;
/** The most that an upload may have. */
export const MOST_BYTES = 20_000_000;

export function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  /** 0 grey, 2 RGB, 6 RGB with alpha */
  readonly colour?: number;
  readonly interlaced?: boolean;
}

/** A PNG of which every part is as said, whether it fits or not. */
export function png(header: PngHeader, data: Uint8Array, ...before: readonly Buffer[]): Buffer {
  const { width, height, depth = 8, colour = 2, interlaced = false } = header;
  const start = Buffer.alloc(13);
  start.writeUInt32BE(width, 0);
  start.writeUInt32BE(height, 4);
  start.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8);
  const parts = [Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', start), ...before];
  return Buffer.concat([...parts, chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** Black: rows of zeros, which shrink a thousandfold. */
const black = (rowBytes: number, rows: number) => deflateSync(Buffer.alloc((rowBytes + 1) * rows), { level: 9 });
const small = () => black(300, 100);
const withChunks = (...chunks: readonly Buffer[]) => png({ width: 100, height: 100 }, small(), ...chunks);

/** A GIF of so many frames, on a screen of another size. */
function gif(screen: number, frames: number, side = 1): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16LE(screen, 0);
  size.writeUInt16LE(screen, 2);
  const head = Buffer.concat([Buffer.from('GIF89a'), size, Buffer.from('800000ff0000ffffff', 'hex')]);
  const frame = Buffer.from('2c0000000001000100000202440100', 'hex');
  frame.writeUInt16LE(side, 5);
  frame.writeUInt16LE(side, 7);
  return Buffer.concat([head, Buffer.alloc(frame.length * frames, frame), Buffer.from(';')]);
}

type Tag = readonly [tag: number, type: 3 | 4, value: number];

/** A little-endian TIFF of directories that hold these tags; the last leads on to `next`, a place in the file. */
function tiff(directories: readonly (readonly Tag[])[], { data = Buffer.alloc(0), next = 0 } = {}): Buffer {
  const head = Buffer.from('II*\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(8 + data.length, 4);
  const parts = [head, data];
  let at = 8 + data.length;
  for (const [i, tags] of directories.entries()) {
    const entry = Buffer.alloc(2 + tags.length * 12 + 4);
    entry.writeUInt16LE(tags.length, 0);
    for (const [k, [tag, type, value]] of tags.entries()) {
      entry.writeUInt16LE(tag, 2 + k * 12);
      entry.writeUInt16LE(type, 4 + k * 12);
      entry.writeUInt32LE(1, 6 + k * 12);
      entry.writeUInt32LE(value, 10 + k * 12);
    }
    at += entry.length;
    entry.writeUInt32LE(i === directories.length - 1 ? next : at, entry.length - 4);
    parts.push(entry);
  }
  return Buffer.concat(parts);
}

const strips = (width: number, height: number): Tag[] => [
  [256, 4, width],
  [257, 4, height],
  [258, 3, 8],
  [259, 3, 1],
  [262, 3, 1],
  [273, 4, 8],
  [277, 3, 1],
  [278, 4, height],
  [279, 4, width * height],
];

const tiles = (side: number): Tag[] => [
  [256, 4, 64],
  [257, 4, 64],
  [258, 3, 8],
  [259, 3, 1],
  [262, 3, 1],
  [277, 3, 1],
  [322, 4, side],
  [323, 4, side],
  [324, 4, 8],
  [325, 4, 4096],
];

/** The place and the height and width of a JPEG's frame are written anew. */
async function jpegOf(side: number): Promise<Buffer> {
  const bytes = Buffer.from(await quarters(64).jpeg().toBuffer());
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(side, frame + 5);
  bytes.writeUInt16BE(side, frame + 7);
  return bytes;
}

/** Segments after a JPEG's start, as large as they can be. */
async function jpegWith(marker: number, content: Buffer, times = 1): Promise<Buffer> {
  const bytes = await quarters(64).jpeg().toBuffer();
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  const segments = Buffer.alloc((head.length + content.length) * times, Buffer.concat([head, content]));
  return Buffer.concat([bytes.subarray(0, 2), segments, bytes.subarray(2)]);
}

/** The last scan of a progressive JPEG, over and over: each is decoded over the whole picture. */
async function jpegOfScans(side: number, times: number): Promise<Buffer> {
  const bytes = await flat(side, side).jpeg({ progressive: true }).toBuffer();
  const last = bytes.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = bytes.subarray(last, -2);
  return Buffer.concat([bytes.subarray(0, -2), Buffer.alloc(scan.length * times, scan), bytes.subarray(-2)]);
}

/** An EXIF block whose first directory leads to itself. */
function exifLoop(): Buffer {
  const directory = tiff(
    [
      [
        [0x0112, 3, 1],
        [0x8769, 4, 8],
      ],
    ],
    { next: 8 },
  );
  return Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), directory]);
}

/** A WebP with one more chunk at its end. */
async function webpWith(type: string, content: Buffer, flags: number): Promise<Buffer> {
  const plain = await quarters(64).webp({ lossless: true }).toBuffer();
  const extended = Buffer.alloc(18);
  extended.write('VP8X', 0, 'latin1');
  extended.writeUInt32LE(10, 4);
  extended.writeUInt8(flags, 8);
  extended.writeUIntLE(63, 12, 3);
  extended.writeUIntLE(63, 15, 3);
  const more = Buffer.concat([Buffer.from(type), Buffer.alloc(4), content, Buffer.alloc(content.length % 2)]);
  more.writeUInt32LE(content.length, 4);
  const body = Buffer.concat([Buffer.from('WEBP'), extended, plain.subarray(12), more]);
  const riff = Buffer.from('RIFF\0\0\0\0', 'latin1');
  riff.writeUInt32LE(body.length, 4);
  return Buffer.concat([riff, body]);
}

/** An AVIF whose header says that it is of another size. */
async function avifOf(side: number, said: number): Promise<Buffer> {
  const bytes = Buffer.from(await flat(side, side).avif({ quality: 20, effort: 0 }).toBuffer());
  const at = bytes.indexOf('ispe') + 8;
  bytes.writeUInt32BE(said, at);
  bytes.writeUInt32BE(said, at + 4);
  return bytes;
}

const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
/** The recipe of nothing, in an XML that grows a billionfold for whoever expands it. */
export const LAUGHS = `<!DOCTYPE x [<!ENTITY l0 "ha"><!ENTITY f SYSTEM "file:///etc/passwd">${entities}]><x artgan:recipe='&l9;&f;'/>`;
const svg = (inside: string, before = '') =>
  `${before}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="99" height="99">${inside}</svg>`;
const xmpText = (packet: string) => Buffer.from(`XML:com.adobe.xmp\0\0\0\0\0${packet}`, 'latin1');
const compressed = (keyword: string, mib: number) =>
  Buffer.concat([Buffer.from(`${keyword}\0\0`, 'latin1'), deflateSync(Buffer.alloc(mib * MIB, 'x'), { level: 9 })]);

const NO_PICTURES: readonly Hostile[] = [
  one('no bytes', 'BAD_PICTURE', () => Buffer.alloc(0)),
  one('one byte', 'UNSUPPORTED_PICTURE', () => Buffer.from([0xff])),
  one('one pixel', 'BAD_PICTURE', () => flat(1, 1).png().toBuffer()),
  one('an SVG with an external entity', 'UNSUPPORTED_PICTURE', () =>
    Buffer.from(
      svg('<text>&x;</text>', '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    ),
  ),
  one('an SVG that shows a file', 'UNSUPPORTED_PICTURE', () =>
    Buffer.from(svg('<image xlink:href="file:///etc/passwd" width="9" height="9"/>')),
  ),
  one('an SVG that loads an address', 'UNSUPPORTED_PICTURE', () =>
    Buffer.from(svg('<image href="http://127.0.0.1:1/x.png" width="9" height="9"/>', '\ufeff\n  ')),
  ),
  one('an SVG of two bytes a letter', REFUSED, () => Buffer.from(`\ufeff${svg('<rect/>')}`, 'utf16le')),
  one('an SVG that is compressed', 'UNSUPPORTED_PICTURE', () => gzipSync(svg('<rect width="9" height="9"/>'))),
  one('a web page', 'UNSUPPORTED_PICTURE', () => Buffer.from('<!doctype html><script>alert(1)</script>')),
  one('a PDF', 'UNSUPPORTED_PICTURE', () => Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n')),
  one('a ZIP', 'UNSUPPORTED_PICTURE', () => zip('a.txt', Buffer.from('text'))),
  one('a gzip bomb', 'UNSUPPORTED_PICTURE', () => gzipSync(Buffer.alloc(64 * MIB), { level: 9 })),
  one('a program', 'UNSUPPORTED_PICTURE', () => Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(4_000)])),
  one('20 MB of zeros', 'UNSUPPORTED_PICTURE', () => Buffer.alloc(MOST_BYTES)),
  one('zeros that say that they are HEIC', 'UNSUPPORTED_PICTURE', () =>
    Buffer.concat([Buffer.from('\0\0\0\x18ftypheic\0\0\0\0heicmif1', 'latin1'), Buffer.alloc(4_000)]),
  ),
  one('raw pixels in a CSV, a PPM and a Matlab file', 'UNSUPPORTED_PICTURE', () => Buffer.from('P6 30000 30000 255\n')),
];

/** One entry, without a table of contents: what programs look for behind a picture. */
export function zip(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(30);
  head.write('PK\x03\x04', 0, 'latin1');
  head.writeUInt16LE(8, 8);
  head.writeUInt32LE(crc32(content), 14);
  const data = deflateRawSync(content);
  head.writeUInt32LE(data.length, 18);
  head.writeUInt32LE(content.length, 22);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, Buffer.from(name), data]);
}

const BOMBS: readonly Hostile[] = [
  one('a PNG of 30,000 x 30,000', 'TOO_LARGE', () =>
    png({ width: 30_000, height: 30_000, depth: 1, colour: 0 }, black(3_750, 30_000)),
  ),
  one('a PNG that says 2^31 x 2^31', REFUSED, () => png({ width: 2 ** 31 - 1, height: 2 ** 31 - 1 }, small())),
  one('a PNG that says 0 x 0', REFUSED, () => png({ width: 0, height: 0 }, small())),
  one('a PNG that says 6,000 x 6,000 and has 100 rows', 'BAD_PICTURE', () =>
    png({ width: 6_000, height: 6_000 }, small()),
  ),
  one('a PNG that says 100 x 100 and has 64 MB of rows', 'READY', () =>
    png({ width: 100, height: 100 }, black(64 * MIB, 1)),
  ),
  one('an interlaced PNG of 39 megapixels with 16 bits', 'TOO_LARGE', () =>
    png({ width: 6_300, height: 6_300, depth: 16, interlaced: true }, small()),
  ),
  one('a PNG of 39 megapixels with 16 bits', 'READY', () =>
    png({ width: 6_300, height: 6_300, depth: 16, colour: 6 }, black(6_300 * 8, 6_300)),
  ),
  one('a JPEG that is cut off', 'BAD_PICTURE', async () =>
    (await noisy(600, 400).jpeg().toBuffer()).subarray(0, 20_000),
  ),
  one('a JPEG that says 16,383 x 16,383', 'TOO_LARGE', () => jpegOf(16_383)),
  one('a JPEG that says 65,500 x 65,500', 'TOO_LARGE', () => jpegOf(65_500)),
  one('a JPEG that says 6,000 x 6,000', 'BAD_PICTURE', () => jpegOf(6_000)),
  one('a JPEG of 5,000 scans', REFUSED, () => jpegOfScans(2_000, 5_000)),
  one('a progressive JPEG of 36 megapixels', 'TOO_LARGE', () => progressive(6_000)),
  one('a progressive JPEG of 32 megapixels', 'READY', () => progressive(5_650)),
  one('a GIF of 10,000 frames', 'READY', () => gif(64, 10_000)),
  one('a GIF of a million frames', [...REFUSED, 'READY'], () => gif(64, 1_000_000)),
  one('a GIF of one pixel on a screen of 65,535 x 65,535', 'BAD_PICTURE', () => gif(65_535, 3)),
  one('a GIF with a frame of 65,535 x 65,535', 'TOO_LARGE', () => gif(64, 1, 65_535)),
  one('a GIF with a frame of 36 megapixels', 'TOO_LARGE', () => gif(64, 1, 6_000)),
  one('a WebP of 16,383 x 16,383', 'TOO_LARGE', () => webpOf(16_383)),
  one('a WebP of 36 megapixels', 'TOO_LARGE', () => webpOf(6_000)),
  one('a WebP of 11 megapixels that has no pixels', 'BAD_PICTURE', () => webpOf(3_300)),
  one('a lossless WebP of 25 megapixels', 'TOO_LARGE', () => webp(5_000)),
  one('a lossless WebP of 11 megapixels', 'READY', () => webp(3_300)),
  one('a TIFF of 60,000 x 60,000', 'TOO_LARGE', () => tiff([strips(60_000, 60_000)])),
  one('a TIFF of 6,000 x 6,000 that has no pixels', REFUSED, () => tiff([strips(6_000, 6_000)])),
  one('a TIFF of tiles of 65,536 x 65,536', REFUSED, () => tiff([tiles(65_536)], { data: Buffer.alloc(4_096) })),
  one('a TIFF of tiles of 16,384 x 16,384', REFUSED, () => tiff([tiles(16_384)], { data: Buffer.alloc(4_096) })),
  one('a TIFF of 60,000 pages', [...REFUSED, 'READY'], () =>
    tiff(
      Array.from({ length: 60_000 }, () => strips(64, 64)),
      { data: Buffer.alloc(4_096) },
    ),
  ),
  one('a TIFF whose pages are a circle', [...REFUSED, 'READY'], () =>
    tiff([strips(64, 64)], { data: Buffer.alloc(4_096), next: 8 + 4_096 }),
  ),
  one('a TIFF of 60,000 channels', REFUSED, () =>
    tiff([strips(64, 64).map(([tag, type, value]): Tag => [tag, type, tag === 277 ? 60_000 : value])], {
      data: Buffer.alloc(4_096),
    }),
  ),
  one('an AVIF that says 60,000 x 60,000', REFUSED, () => avifOf(64, 60_000)),
  one('an AVIF of 64 megapixels that says 64 x 64', REFUSED, () => avifOf(8_000, 64)),
  one('an AVIF of 9 megapixels', 'TOO_LARGE', () => avifOf(3_000, 3_000)),
  one('an AVIF of 5 megapixels', 'READY', () => avifOf(2_300, 2_300)),
];

const progressive = (side: number) => flat(side, side).jpeg({ progressive: true }).toBuffer();
const webp = (side: number) => flat(side, side).webp({ lossless: true, effort: 0 }).toBuffer();

/** VP8L with a header and nothing behind it. */
function webpOf(side: number): Buffer {
  const bits = Buffer.alloc(4);
  bits.writeUInt32LE((side - 1) | (((side - 1) << 14) >>> 0));
  const data = Buffer.concat([Buffer.from([0x2f]), bits, Buffer.alloc(27)]);
  const head = Buffer.from('RIFF\0\0\0\0WEBPVP8L\0\0\0\0', 'latin1');
  head.writeUInt32LE(data.length + 12, 4);
  head.writeUInt32LE(data.length, 16);
  return Buffer.concat([head, data]);
}

/** The most there is room for in an upload. */
const LARGE = 19 * MIB;
/** Two bytes a character, once it is a text. */
const LONG_XMP = '漢'.padEnd(LARGE - 4_096);

const METADATA: readonly Hostile[] = [
  one('a text of 50 MB in a PNG', 'READY', () => withChunks(chunk('zTXt', compressed('Comment', 50)))),
  one('350 texts of 50 MB in a PNG', 'TOO_LARGE', () => {
    const text = chunk('zTXt', compressed('Comment', 50));
    return withChunks(Buffer.alloc(text.length * 350, text));
  }),
  one('an XMP of 50 MB in a PNG', 'READY', () =>
    withChunks(
      chunk(
        'iTXt',
        Buffer.concat([
          Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0', 'latin1'),
          deflateSync(Buffer.alloc(50 * MIB, 'x'), { level: 9 }),
        ]),
      ),
    ),
  ),
  one('a colour profile of 50 MB in a PNG', 'READY', () => withChunks(chunk('iCCP', compressed('p', 50)))),
  one('a million texts in a PNG', 'TOO_LARGE', () => {
    const text = chunk('tEXt', Buffer.from('a\0'));
    return withChunks(Buffer.alloc(text.length * 1_000_000, text));
  }),
  one('19 MB of XMP in a PNG', 'TOO_LARGE', () => withChunks(chunk('iTXt', xmpText(LAUGHS.padEnd(LARGE))))),
  one('19 MB of XMP in a WebP', 'TOO_LARGE', () => webpWith('XMP ', Buffer.from(LAUGHS.padEnd(LARGE)), 4)),
  one('19 MB of XMP in a TIFF', 'TOO_LARGE', () => flat(64, 64).withXmp(LONG_XMP).tiff().toBuffer()),
  ...[LARGE, 9 * MIB].map((bytes) =>
    one(`${bytes} bytes of XMP in an AVIF`, 'TOO_LARGE', () =>
      flat(64, 64)
        .withXmp('漢'.padEnd(bytes - 4_096))
        .avif({ effort: 0 })
        .toBuffer(),
    ),
  ),
  one('a billion laughs in a PNG', 'READY', () => withChunks(chunk('iTXt', xmpText(LAUGHS)))),
  one('a billion laughs in a JPEG', 'READY', () =>
    jpegWith(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${LAUGHS}`, 'latin1')),
  ),
  one('EXIF that leads to itself', 'READY', () => jpegWith(0xe1, exifLoop())),
  one('19 MB of EXIF in a JPEG', 'READY', () => jpegWith(0xe1, Buffer.concat([exifLoop(), Buffer.alloc(60_000)]), 300)),
  one('a thousand comments in a JPEG', 'READY', () => jpegWith(0xfe, Buffer.alloc(19_000, 'c'), 1_000)),
  one('pieces of a colour profile in a JPEG', 'READY', () =>
    jpegWith(0xe2, Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\xff', 'latin1'), Buffer.alloc(60_000)]), 300),
  ),
];

/** What follows a picture's end, or hides in it, is for a program that reads the file as something else. */
export const SECRET = '<?php system($_GET["c"]); ?>alert(document.domain)';

export const POLYGLOTS: readonly Hostile[] = [
  one('a GIF that is a script', 'READY', async () => {
    const bytes = Buffer.from(await quarters(64).gif().toBuffer());
    return Buffer.concat([bytes.subarray(0, -1), Buffer.from(`!\xfe\x32${SECRET}\0;`, 'latin1'), Buffer.from(SECRET)]);
  }),
  one('a JPEG with a ZIP behind it', 'READY', async () =>
    Buffer.concat([await quarters(64).jpeg().toBuffer(), zip('secret.php', Buffer.from(SECRET)), Buffer.from(SECRET)]),
  ),
  one('a PNG with PHP behind it', 'READY', async () =>
    Buffer.concat([await quarters(64).png().toBuffer(), Buffer.from(SECRET)]),
  ),
  one('a PNG with PHP in a text', 'READY', () => withChunks(chunk('tEXt', Buffer.from(`Comment\0${SECRET}`)))),
  one('a JPEG with a script in its EXIF and XMP', 'READY', () =>
    sharp({ create: { width: 64, height: 64, channels: 3, background: '#fff' } })
      .withExif({ IFD0: { Copyright: SECRET } })
      .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><![CDATA[${SECRET}]]></x:xmpmeta>`)
      .jpeg()
      .toBuffer(),
  ),
  one('a WebP with a web page behind it', 'READY', async () =>
    Buffer.concat([await quarters(64).webp().toBuffer(), Buffer.from(`<html>${SECRET}</html>`)]),
  ),
];

export const HOSTILE: readonly Hostile[] = [...NO_PICTURES, ...BOMBS, ...METADATA, ...POLYGLOTS];
