/**
 * ARTBENCH: ArtBench-10, as CIFAR-style binaries of 32 x 32 pictures (`data_batch_1.bin` to 5, `test_batch.bin`: one
 * label byte, then 1024 bytes of each colour) or as folders of pictures (`<style>/…` or `<split>/<style>/…`). Pure.
 */
import { byCodeUnits, type Entry, type Issue, type Plan } from '../entry.ts';
import { artistAndTitle, foldersOf } from './names.ts';
import { LayoutProblem, type Listing, maybePicture, PlanBuilder, type Records } from './plan.ts';
import { ARTBENCH_CLASSES } from './vocabulary.ts';

export const BINARY_SIDE = 32;
export const RECORD_BYTES = 1 + BINARY_SIDE * BINARY_SIDE * 3;
const BINARY = /(?:^|\/)(data_batch_\d+|test_batch)\.bin$/i;
const NAMES = /(?:^|\/)batches\.meta(?:\.txt)?$/i;
const SPLITS = new Set(['train', 'test', 'val', 'valid', 'validation']);

export function isBinary(path: string): boolean {
  return BINARY.test(path);
}

/** Whether a file names the classes of the binaries. */
export function isClassNames(path: string): boolean {
  return NAMES.test(path);
}

/** `train/post_impressionism/…` or `post_impressionism/…`, in ArtBench's own spelling. */
export function looksLikeArtBench(path: string): boolean {
  return styleFolder(path) !== undefined;
}

export function planArtBench(listing: Listing): Plan {
  if (listing.records.size > 0) return planBinaries(listing);
  const pictures = listing.files.filter((path) => maybePicture(path) && looksLikeArtBench(path));
  if (pictures.length === 0)
    throw new LayoutProblem(
      'This is not laid out like ArtBench: neither its binaries (data_batch_1.bin and so on; the pickled version is never opened) nor folders named after its ten styles are there.',
    );
  const plan = new PlanBuilder();
  for (const path of pictures) plan.say(path, { style: styleFolder(path), ...artistAndTitle(path) });
  return plan.build();
}

function styleFolder(path: string): string | undefined {
  const folders = foldersOf(path).filter((name) => !SPLITS.has(name));
  return folders.findLast((name) => ARTBENCH_CLASSES.includes(name));
}

function planBinaries(listing: Listing): Plan {
  const names = classNames(listing);
  const entries: Entry[] = [];
  const issues: Issue[] = [];
  for (const file of [...listing.records.keys()].sort(byCodeUnits)) {
    const records = listing.records.get(file);
    if (records === undefined) continue;
    if (records.rest > 0)
      issues.push({
        file,
        code: 'TRUNCATED',
        message: `${records.rest} bytes after its last whole record of ${RECORD_BYTES} bytes are passed over.`,
      });
    addRecords(file, records, { names, entries, issues });
  }
  return { entries, issues };
}

function addRecords(
  file: string,
  { labels }: Records,
  to: { readonly names: readonly string[]; readonly entries: Entry[]; readonly issues: Issue[] },
): void {
  for (const [i, label] of labels.entries()) {
    const style = to.names[label];
    const work = `${file}:${String(i).padStart(5, '0')}`;
    if (style === undefined)
      to.issues.push({ file: work, code: 'BAD_LINE', message: `Its class is ${label}; there are ${to.names.length}.` });
    else
      to.entries.push({ file: work, slice: { file, at: i * RECORD_BYTES + 1, side: BINARY_SIDE }, labels: { style } });
  }
}

function classNames(listing: Listing): readonly string[] {
  for (const [path, text] of listing.texts) {
    if (!isClassNames(path)) continue;
    const names = text.split(/\r?\n/).map((line) => line.trim());
    const some = names.filter((name) => name !== '');
    if (some.length > 0) return some;
  }
  return ARTBENCH_CLASSES;
}
