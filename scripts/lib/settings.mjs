// The server's settings as the scripts need them: from the environment, or else from the .env file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { root } from './paths.mjs';

/** @returns {Record<string, string | undefined>} */
function fromFile() {
  try {
    return parseEnv(readFileSync(join(root, '.env'), 'utf8'));
  } catch {
    return {};
  }
}

/**
 * @param {string} name
 * @param {string} fallback
 */
export function setting(name, fallback) {
  return process.env[name]?.trim() || fromFile()[name]?.trim() || fallback;
}

/** Puts the .env file's settings into the environment, where those that are set already win. */
export function loadSettings() {
  for (const [name, value] of Object.entries(fromFile())) process.env[name] ??= value;
}
