/**
 * Names of artists, styles and genres: slugs, forgiving match (case, diacritics, spaces, hyphens, underscores)
 * and did-you-mean.
 */
export const LABEL_KINDS = ['artist', 'style', 'genre'] as const;
export type LabelKind = (typeof LABEL_KINDS)[number];

/** What a picture is asked for by: any combination of the kinds, each by slug. */
export type Conditions = { readonly [K in LabelKind]?: string };

/** "Ukiyo_e " -> "ukiyo-e", "Édouard Manet" -> "edouard-manet". Empty for a text without letters or digits. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[øØ]/g, 'o')
    .replace(/[łŁ]/g, 'l')
    .replace(/[æÆ]/g, 'ae')
    .replace(/[œŒ]/g, 'oe')
    .replace(/ß/g, 'ss')
    .toLowerCase()
    .replace(/['’`]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
}

/** "Ukiyo_e" -> "Ukiyo e": a folder's or a CSV's spelling as a person would write it. */
export function displayName(raw: string): string {
  return raw.normalize('NFC').replace(/_+/g, ' ').replace(/\s+/g, ' ').trim();
}

/** Two spellings with one key mean the same label. */
export function matchKey(text: string): string {
  return slugOf(text).replaceAll('-', '');
}

/** Levenshtein distance. */
export function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** The names nearest to what was typed, best first; all of them where nothing is near and there are few. */
export function didYouMean(typed: string, names: readonly string[], most = 5): string[] {
  const key = matchKey(typed);
  const scored = names.map((name) => {
    const other = matchKey(name);
    const near = key.length >= 3 && (other.includes(key) || key.includes(other)) ? 0.5 : distance(key, other);
    return { name, score: near / Math.max(key.length, other.length, 1) };
  });
  scored.sort((a, b) => a.score - b.score || a.name.localeCompare(b.name));
  return scored
    .filter(({ score }) => score <= 0.6)
    .slice(0, most)
    .map(({ name }) => name);
}
