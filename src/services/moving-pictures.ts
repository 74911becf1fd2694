/** Frames as one animated WebP. Settings are fixed: the same frames give the same bytes. */
import sharp from 'sharp';

export interface Frames {
  /** One after another: frames x side x side x 3 bytes. */
  readonly pixels: Uint8Array;
  readonly count: number;
  /** Of a frame, in pixels. */
  readonly side: number;
  readonly frameMs: number;
  /** Whether it is shown again and again, or once. */
  readonly loop: boolean;
  /** A packet that the file carries. */
  readonly xmp: string;
}

/** 0: without end. */
const FOR_EVER = 0;
/** Of all frames: so small a film may have its pixels as they are, 7 KB for one of 64 x 64, four times what it is otherwise. */
const MOST_EXACT_PIXELS = 500_000;

export function animatedWebp({ pixels, count, side, frameMs, loop, xmp }: Frames): Promise<Buffer> {
  const raw = { width: side, height: side * count, channels: 3, pageHeight: side } as const;
  const isExact = count * side * side <= MOST_EXACT_PIXELS;
  const coding = isExact ? { lossless: true, effort: 1 } : { quality: 90, effort: 4 };
  return sharp(pixels, { raw })
    .withXmp(xmp)
    .webp({ ...coding, loop: loop ? FOR_EVER : 1, delay: Array(count).fill(frameMs) })
    .toBuffer();
}
