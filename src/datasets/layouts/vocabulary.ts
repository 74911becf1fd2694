/**
 * The words of WikiArt and ArtBench: how a known style, genre or artist is written, and which kind a folder's name is.
 * A label that is not in here is as good as one that is; it keeps the spelling of its collection.
 */
import { displayName, type LabelKind, matchKey, slugOf } from '../../core/labels.ts';
import { plain } from '../entry.ts';

/** In the order of the classes of the refined WikiArt set: a class file that is missing is replaced by these. */
export const WIKIART_CLASSES: { readonly [K in LabelKind]: readonly string[] } = {
  style: [
    'Abstract Expressionism',
    'Action painting',
    'Analytical Cubism',
    'Art Nouveau',
    'Baroque',
    'Color Field Painting',
    'Contemporary Realism',
    'Cubism',
    'Early Renaissance',
    'Expressionism',
    'Fauvism',
    'High Renaissance',
    'Impressionism',
    'Mannerism (Late Renaissance)',
    'Minimalism',
    'Naïve Art (Primitivism)',
    'New Realism',
    'Northern Renaissance',
    'Pointillism',
    'Pop Art',
    'Post-Impressionism',
    'Realism',
    'Rococo',
    'Romanticism',
    'Symbolism',
    'Synthetic Cubism',
    'Ukiyo-e',
  ],
  genre: [
    'abstract painting',
    'cityscape',
    'genre painting',
    'illustration',
    'landscape',
    'nude painting',
    'portrait',
    'religious painting',
    'sketch and study',
    'still life',
  ],
  artist: [
    'Albrecht Dürer',
    'Boris Kustodiev',
    'Camille Pissarro',
    'Childe Hassam',
    'Claude Monet',
    'Edgar Degas',
    'Eugène Boudin',
    'Gustave Doré',
    'Ilya Repin',
    'Ivan Aivazovsky',
    'Ivan Shishkin',
    'John Singer Sargent',
    'Marc Chagall',
    'Martiros Saryan',
    'Nicholas Roerich',
    'Pablo Picasso',
    'Paul Cézanne',
    'Pierre-Auguste Renoir',
    'Pyotr Konchalovsky',
    'Raphael Kirchner',
    'Rembrandt',
    'Salvador Dalí',
    'Vincent van Gogh',
  ],
};

/** Folder `Art_Nouveau_Modern` holds the works of class `Art_Nouveau`. */
const ALIASES = new Map([['artnouveaumodern', 'Art Nouveau']]);

/** ArtBench-10's classes in the order of its binaries. */
export const ARTBENCH_CLASSES: readonly string[] = [
  'art_nouveau',
  'baroque',
  'expressionism',
  'impressionism',
  'post_impressionism',
  'realism',
  'renaissance',
  'romanticism',
  'surrealism',
  'ukiyo_e',
];

/** Further words by which a folder's kind is known. */
const MORE: { readonly [K in LabelKind]: readonly string[] } = {
  style: (
    'Academicism,Art Deco,Art Informel,Biedermeier,Byzantine,Classicism,Cloisonnism,Conceptual Art,Constructivism,' +
    'Dada,Dadaism,Divisionism,Futurism,Gothic,Hyper-Realism,International Gothic,Lyrical Abstraction,Luminism,' +
    'Magic Realism,Mannerism,Metaphysical art,Naive Art,Neo-Expressionism,Neo-Impressionism,Neoclassicism,Op Art,' +
    'Orphism,Photorealism,Precisionism,Pre-Raphaelite,Proto Renaissance,Rayonism,Regionalism,Renaissance,Shin-hanga,' +
    'Social Realism,Socialist Realism,Sōsaku hanga,Street art,Suprematism,Surrealism,Synthetism,Tachisme,Tenebrism,Tonalism'
  ).split(','),
  genre: (
    'allegorical painting,animal painting,battle painting,bird-and-flower painting,caricature,cloudscape,design,' +
    'figurative,flower painting,history painting,interior,marina,mythological painting,pastorale,photo,poster,' +
    'sculpture,seascape,self-portrait,symbolic painting,vanitas,veduta,wildlife painting,abstract,landscapes,portraits'
  ).split(','),
  artist: (
    'Alfred Sisley,Caravaggio,Diego Velázquez,Édouard Manet,Edvard Munch,Francisco Goya,Georges Seurat,Gustav Klimt,' +
    'Henri Matisse,Henri Rousseau,Jackson Pollock,Johannes Vermeer,Katsushika Hokusai,Leonardo da Vinci,Michelangelo,' +
    'Paul Gauguin,Paul Klee,Peter Paul Rubens,Piet Mondrian,Raphael,Sandro Botticelli,Titian,Utagawa Hiroshige,' +
    'Wassily Kandinsky,Hiroshige,Hokusai,Monet,Picasso,Van Gogh,Goya,Botticelli,Klimt'
  ).split(','),
};

const byKey = (names: readonly string[]) => new Map(names.map((name) => [matchKey(name), name]));
const CANONICAL = {
  style: new Map([...byKey(WIKIART_CLASSES.style), ...ALIASES]),
  genre: byKey(WIKIART_CLASSES.genre),
  artist: byKey(WIKIART_CLASSES.artist),
};
const KNOWN = {
  style: new Set([...CANONICAL.style.keys(), ...byKey(MORE.style).keys()]),
  genre: new Set([...CANONICAL.genre.keys(), ...byKey(MORE.genre).keys()]),
  artist: new Set([...CANONICAL.artist.keys(), ...byKey(MORE.artist).keys()]),
};

export function isKnown(kind: LabelKind, name: string): boolean {
  return KNOWN[kind].has(matchKey(name));
}

/** Two spellings with one key mean one label, also where a collection has a name of its own for it. */
export function labelKeyOf(kind: LabelKind, raw: string): string {
  const key = matchKey(raw);
  const known = CANONICAL[kind].get(key);
  return known === undefined ? key : matchKey(known);
}

/** What collections write where they know nothing. */
const NOTHING = new Set(['', 'unknown', 'unknownartist', 'artistunknown', 'na', 'none', 'null', 'nan', 'notavailable']);
/** Longer texts are no labels. */
const MAX_LABEL = 120;

export interface Label {
  readonly slug: string;
  readonly name: string;
}

/** Gives every spelling of a label one slug and one name: the known one, else the first that was met. */
export class LabelBook {
  readonly #met: { readonly [K in LabelKind]: Map<string, Label> } = {
    artist: new Map(),
    style: new Map(),
    genre: new Map(),
  };

  /** Undefined for a text that names nothing: empty, "unknown", without letters and digits, or as long as a sentence. */
  of(kind: LabelKind, raw: string | undefined): Label | undefined {
    if (raw === undefined) return undefined;
    const key = matchKey(raw);
    if (NOTHING.has(key) || raw.length > MAX_LABEL) return undefined;
    const known = this.#met[kind].get(key);
    if (known !== undefined) return known;
    const name = CANONICAL[kind].get(key) ?? displayName(plain(raw));
    const label = { slug: slugOf(name), name };
    this.#met[kind].set(key, label);
    return label;
  }
}
