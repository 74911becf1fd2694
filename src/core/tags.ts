/** Tags of kept pictures, and names of collections: any words of a person, which are the same in upper and lower case. */
import { AppError } from './errors.ts';
import { slugOf } from './labels.ts';

export const LONGEST_NAME = 60;

/** What two spellings of a tag have in common. Signs that are no letters make a tag, too: "★". */
export function slugOfTag(text: string): string {
  const name = shown(text);
  const slug = slugOf(name);
  return slug === '' ? name.toLowerCase() : slug;
}

/** A name as it is shown. @throws AppError INVALID_INPUT where it is none, or too long */
export function checkedName(text: string, path: readonly string[]): string {
  const name = shown(text);
  if (name !== '' && [...name].length <= LONGEST_NAME && !/\p{Cc}/u.test(name)) return name;
  throw new AppError('INVALID_INPUT', `${path.at(-1)} must be 1 to ${LONGEST_NAME} characters.`, { path });
}

function shown(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim();
}
