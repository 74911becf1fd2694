// Arguments of the terminal commands: node:util's parser, with its complaints in our words.
import { parseArgs } from 'node:util';
import { Stop } from './errors.mjs';

/** Given to every command. */
const COMMON = /** @type {const} */ ({ url: { type: 'string' }, help: { type: 'boolean', short: 'h' } });

/**
 * @template {import('node:util').ParseArgsConfig['options']} O
 * @param {string} command  its npm script
 * @param {O} options
 */
export function readArguments(command, options) {
  try {
    return parseArgs({ options: { ...options, ...COMMON } }).values;
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error;
    throw new Stop(`${message.split('. ')[0]}.\nnpm run ${command} -- --help lists what there is.`);
  }
}

/**
 * @param {string} name
 * @param {string | undefined} text
 * @returns {number | undefined}
 */
export function wholeNumber(name, text) {
  if (text === undefined) return undefined;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new Stop(`--${name} must be a whole number, not "${text}".`);
  return number;
}

/**
 * @param {string} name
 * @param {string | undefined} text
 * @returns {number | undefined}
 */
export function decimal(name, text) {
  if (text === undefined) return undefined;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) throw new Stop(`--${name} must be a number, not "${text}".`);
  return number;
}
