/** What lies under a URL, and its hash. */
import { createHash } from 'node:crypto';

export const bytesOf = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer());

export const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
