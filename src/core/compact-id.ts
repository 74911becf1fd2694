/** JSON as a short text for ids and addresses: deflated, base64url. Many recipes of one model take a tenth of their length. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Of the text: what a URL may have in all is 16 KB. */
const LONGEST_TEXT = 12_000;
/** Of the JSON. A hundred recipes that could hardly be longer have so many. */
const LONGEST_JSON = 256 * 1024;

/** Undefined where it would be too long for a URL. */
export function compactId(json: unknown): string | undefined {
  const text = deflateRawSync(JSON.stringify(json), { level: 9 }).toString('base64url');
  return text.length <= LONGEST_TEXT ? text : undefined;
}

/** What a text of any origin holds; undefined where it holds nothing that could be read, or too much. */
export function readCompactId(text: string): unknown {
  if (text.length > LONGEST_TEXT || !/^[\w-]+$/.test(text)) return undefined;
  try {
    const json = inflateRawSync(Buffer.from(text, 'base64url'), { maxOutputLength: LONGEST_JSON });
    return JSON.parse(json.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What an id of a recipe says, to be part of another one. */
export function jsonOfId(id: string): unknown {
  return JSON.parse(Buffer.from(id, 'base64url').toString('utf8'));
}

/** @throws RangeError where it is nested too deeply */
export function idOfJson(json: unknown): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}
