/**
 * A process that decodes one file, whose path it is given, says what came of it, and ends.
 * services/upload-pictures.ts starts it.
 */
import { readFile } from 'node:fs/promises';
import { asAppError } from '../core/errors.ts';
import { pictureOf } from './upload-decode.ts';

/** Whoever has started it has gone. */
process.once('disconnect', () => process.exit());

function say(message: object): void {
  process.send?.(message, () => process.disconnect());
}

try {
  say({ kind: 'picture', picture: await pictureOf(await readFile(process.argv[2] ?? '')) });
} catch (error) {
  const told = asAppError(error);
  if (told === undefined) throw error;
  say({ kind: 'refusal', code: told.code, message: told.message });
}
