/** AUTO: which layout a collection has, by its lists and the names of its files. Pure. */
import { unreachable } from '../../core/errors.ts';
import type { Plan } from '../entry.ts';
import { looksLikeArtBench, planArtBench } from './artbench.ts';
import { planFolders } from './folders.ts';
import { findManifest, planManifest } from './manifest.ts';
import { type LayoutName, type Listing, maybePicture } from './plan.ts';
import { isWikiArtList, looksLikeWikiArt, planWikiArt } from './wikiart.ts';

/**
 * From the surest sign to the weakest: a list called manifest or metadata; binaries; WikiArt's lists; a list with a
 * column for the file; names as ArtBench or WikiArt give them; and else folders, which any collection has.
 */
export function detectLayout(listing: Listing): LayoutName {
  const found = findManifest(listing);
  // A list in a subfolder speaks of that folder: going by it would leave the rest of the collection out.
  const manifest = found?.includes('/') ? undefined : found;
  if (manifest !== undefined && /(^|\/)(manifest|metadata)\.[^/]*$/i.test(manifest)) return 'MANIFEST';
  if (listing.records.size > 0) return 'ARTBENCH';
  if ([...listing.texts.keys()].some(isWikiArtList)) return 'WIKIART';
  if (manifest !== undefined) return 'MANIFEST';
  const pictures = listing.files.filter(maybePicture);
  const mostly = (sign: (path: string) => boolean) =>
    pictures.length > 0 && pictures.filter(sign).length * 5 > pictures.length * 4;
  if (mostly((path) => looksLikeArtBench(path) && looksLikeWikiArt(path))) return 'ARTBENCH';
  // A collection in which no artist has two names is none of WikiArt's.
  return mostly(looksLikeWikiArt) && pictures.some((path) => /(^|\/)[^/_]+-[^/_]+_/.test(path)) ? 'WIKIART' : 'FOLDERS';
}

/** @throws LayoutProblem where the collection does not have this layout. */
export function planLayout(layout: LayoutName, listing: Listing): Plan {
  switch (layout) {
    case 'FOLDERS':
      return planFolders(listing);
    case 'MANIFEST':
      return planManifest(listing);
    case 'WIKIART':
      return planWikiArt(listing);
    case 'ARTBENCH':
      return planArtBench(listing);
    default:
      return unreachable(layout);
  }
}
