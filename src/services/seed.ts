/** Seeds for those who gave none: drawn once, told in the answer, and nothing random follows from anywhere else. */
import { randomBytes } from 'node:crypto';

/** An integer from 0 to 2^53 - 1. */
export function drawSeed(): number {
  const bytes = randomBytes(8);
  return (bytes.readUInt32LE(0) & 0x1fffff) * 2 ** 32 + bytes.readUInt32LE(4);
}
