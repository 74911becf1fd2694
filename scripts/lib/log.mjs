// What the scripts say to people: plain lines on stderr, so that stdout stays the program's own.
import { Stop } from './errors.mjs';

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${Math.round(bytes / 1e6)} MB`;
}

/**
 * One line that follows a number of bytes: rewritten in place on a terminal, told every tenth elsewhere.
 * @param {string} label
 * @param {number} total
 */
export function progress(label, total) {
  const terminal = process.stderr.isTTY === true;
  let told = -1;
  return {
    /** @param {number} bytes */
    at(bytes) {
      const tenth = Math.floor((Math.min(bytes, total) / total) * (terminal ? 1000 : 10));
      if (tenth <= told) return;
      told = tenth;
      const line = `  ${label}: ${megabytes(Math.min(bytes, total))} of ${megabytes(total)}`;
      process.stderr.write(terminal ? `\r\x1b[2K${line}` : `${line}\n`);
    },
    end() {
      if (terminal) process.stderr.write('\r\x1b[2K');
    },
  };
}

/**
 * Runs a script's main function: a `Stop` is told as one message, everything else with its stack.
 * @param {() => Promise<number | void>} main
 */
export async function runScript(main) {
  try {
    const code = await main();
    if (code !== undefined) process.exitCode = code;
  } catch (error) {
    say(error instanceof Stop ? `\n${error.message}` : `\n${/** @type {Error} */ (error).stack}`);
    process.exitCode = 1;
  }
}
