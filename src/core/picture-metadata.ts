/**
 * What the files of pictures say about themselves, as XMP: that a trained model made them, and the recipe. A server that
 * has the same model reads the recipe back and makes the very same picture. In a file the model is named by the SHA-256
 * of its weights, since ids of models are a server's own.
 */
import { decodeRecipe, encodeRecipe, type Recipe } from './recipe.ts';

/** `recipe.modelId` is the SHA-256 of the model's weights. */
export type RecipeInFile =
  | { readonly kind: 'recipe'; readonly recipe: Recipe }
  /** Written by a server that knows more than this one. */
  | { readonly kind: 'newer'; readonly version: number };

const NEWEST = 2;
/** Editors keep a picture's history in its XMP. Ours is never longer than 64 KB, which is all that a JPEG can hold. */
const LONGEST_PACKET = 1024 * 1024;
const LONGEST_RECIPE = 64 * 1024;
/** As it is written here, and as editors write it again: with other quotes, or as an element. */
const RECIPE = /\sartgan:recipe\s*=\s*(?:'([^'<]*)'|"([^"<]*)")|<artgan:recipe>([^<]*)<\/artgan:recipe>/;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** The XMP packet of a picture: the same for the same recipe, ASCII, some 600 bytes. `sha256`: of the model's weights. */
export function xmpOf(recipe: Recipe, sha256: string): string {
  return (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"' +
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:artgan="urn:artgan:1"' +
    ' xmp:CreatorTool="artgan"' +
    ' Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"' +
    ` artgan:recipe='${escaped(jsonOf({ ...recipe, version: NEWEST, modelId: sha256 }))}'/></rdf:RDF></x:xmpmeta>`
  );
}

/**
 * The recipe in an XMP packet of any origin; undefined where there is none that could be one of ours. XML is not parsed:
 * one attribute is looked for, and entities that a document declares stay unknown.
 */
export function recipeIn(packet: string): RecipeInFile | undefined {
  if (packet.length > LONGEST_PACKET) return undefined;
  const [, single, double, element] = RECIPE.exec(packet) ?? [];
  const text = unescaped(single ?? double ?? element ?? '');
  return text === undefined ? undefined : readRecipe(text);
}

/** As it is stored, for `readRecipe`. */
export function recipeText(found: RecipeInFile): string {
  return found.kind === 'newer' ? JSON.stringify([found.version]) : jsonOf(found.recipe);
}

/** What the JSON of a recipe says; undefined where it is none. */
export function readRecipe(text: string): RecipeInFile | undefined {
  let compact: string;
  try {
    const json: unknown = JSON.parse(text);
    const version: unknown = Array.isArray(json) ? json[0] : undefined;
    if (Number.isInteger(version) && Number(version) > NEWEST) return { kind: 'newer', version: Number(version) };
    // Editors may have written blanks and escapes of their own.
    compact = JSON.stringify(json);
  } catch {
    return undefined;
  }
  const recipe = decodeRecipe(Buffer.from(compact).toString('base64url'));
  const isPortable = recipe?.version === NEWEST && /^[0-9a-f]{64}$/.test(recipe.modelId);
  return isPortable ? { kind: 'recipe', recipe } : undefined;
}

function jsonOf(recipe: Recipe): string {
  return Buffer.from(encodeRecipe(recipe), 'base64url').toString();
}

/** JSON as the value of an attribute in single quotes. ASCII: what cannot be said in XML never comes up. */
function escaped(json: string): string {
  return json
    .replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/'/g, '&apos;');
}

/** Undefined where it is empty, too long, or has an entity that only its document could explain. */
function unescaped(value: string): string | undefined {
  if (value === '' || value.length > LONGEST_RECIPE) return undefined;
  let isKnown = true;
  const text = value.replace(/&(#?\w*);?/g, (entity, name: string) => {
    const code = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name);
    const point =
      code === null ? Number.NaN : Number.parseInt(code[1] ?? code[2] ?? '', code[1] === undefined ? 10 : 16);
    const meant = point <= 0x10ffff ? String.fromCodePoint(point) : ENTITIES.get(name);
    isKnown &&= meant !== undefined && entity.endsWith(';');
    return meant ?? '';
  });
  return isKnown ? text : undefined;
}
