/**
 * FOLDERS: pictures in folders that are named after a style, an artist or a genre. Pure.
 *
 * Folders are read from the outside in. `styles`, `artists` and `genres` (also `by-style` and the like) say the kind of
 * the folders in them; so does the name of the collection's own folder. `train`, `val`, `images` and the like say
 * nothing. For the rest, level by level, the names decide: the kind of which most are known words. The outermost level
 * is a style where nothing is known; the next is an artist where most of its names look like persons, else nothing.
 */
import type { LabelKind } from '../../core/labels.ts';
import type { Plan } from '../entry.ts';
import { foldersOf } from './names.ts';
import { type Listing, maybePicture, PlanBuilder } from './plan.ts';
import { isKnown } from './vocabulary.ts';

const KIND_WORDS = new Map<string, LabelKind>();
for (const kind of ['style', 'artist', 'genre'] as const)
  for (const word of [kind, `${kind}s`, `by-${kind}`, `by_${kind}`, `by ${kind}`]) KIND_WORDS.set(word, kind);
KIND_WORDS.set('painters', 'artist').set('movements', 'style').set('movement', 'style');

const WRAPPERS = new Set(
  'train training test testing val valid validation dev images imgs img pictures photos data dataset works artworks all'.split(
    ' ',
  ),
);

interface Step {
  readonly name: string;
  /** Said by a folder around it; undefined: to be guessed by its level. */
  readonly kind: LabelKind | undefined;
  /** How many guessed steps lie around it. */
  readonly level: number;
}

export function planFolders(listing: Listing): Plan {
  const pictures = listing.files.filter(maybePicture);
  const own = KIND_WORDS.get(listing.name.toLowerCase());
  const steps = new Map(pictures.map((file) => [file, stepsOf(foldersOf(file), own)]));
  const guessed = guessLevels([...steps.values()].flat());
  const plan = new PlanBuilder();
  for (const file of pictures) {
    const labels: { [K in LabelKind]?: string } = {};
    for (const step of steps.get(file) ?? []) {
      const kind = step.kind ?? guessed[step.level];
      if (kind !== undefined && labels[kind] === undefined) labels[kind] = step.name;
    }
    plan.say(file, labels);
  }
  return plan.build();
}

function stepsOf(folders: readonly string[], own: LabelKind | undefined): Step[] {
  const steps: Step[] = [];
  let kind = own;
  let level = 0;
  for (const name of folders) {
    const word = KIND_WORDS.get(name.toLowerCase());
    if (word !== undefined) kind = word;
    else if (!WRAPPERS.has(name.toLowerCase())) {
      steps.push({ name, kind, level });
      if (kind === undefined) level++;
      kind = undefined;
    }
  }
  return steps;
}

/** The kind of each level of folders whose kind nothing around them says. */
function guessLevels(steps: readonly Step[]): (LabelKind | undefined)[] {
  const levels: Set<string>[] = [];
  for (const { name, kind, level } of steps) {
    if (kind !== undefined) continue;
    levels[level] ??= new Set();
    levels[level].add(name);
  }
  const kinds: (LabelKind | undefined)[] = [];
  for (const [level, names] of levels.entries()) {
    const free = (['style', 'artist', 'genre'] as const).filter((kind) => !kinds.includes(kind));
    const votes = free.map((kind) => ({ kind, count: [...names].filter((name) => isKnown(kind, name)).length }));
    const [best] = votes.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
    kinds.push(best?.kind ?? fallback(level, names, free));
  }
  return kinds;
}

function fallback(level: number, names: ReadonlySet<string>, free: readonly LabelKind[]): LabelKind | undefined {
  if (level === 0) return 'style';
  const persons = [...names].filter((name) => /^\D+$/.test(name) && /^\p{L}+([-_\s.]+\p{L}+){1,4}\.?$/u.test(name));
  return free.includes('artist') && persons.length * 2 > names.size ? 'artist' : undefined;
}
