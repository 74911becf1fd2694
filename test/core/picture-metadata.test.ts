import { describe, expect, it } from 'vitest';
import { type RecipeInFile, readRecipe, recipeIn, recipeText, xmpOf } from '../../src/core/picture-metadata.ts';
import { encodeRecipe, type Recipe } from '../../src/core/recipe.ts';

const WEIGHTS = 'ab'.repeat(32);

function recipe(given: Partial<Recipe> = {}): Recipe {
  return {
    version: 2,
    modelId: 'm1',
    mix: [{ weight: 1, conditions: { style: 'ukiyo-e' } }],
    source: { kind: 'latent', latent: [{ weight: 1, seed: 42 }], truncation: 0.7 },
    ...given,
  };
}

const inFile = (given: Recipe): RecipeInFile => ({ kind: 'recipe', recipe: { ...given, modelId: WEIGHTS } });
const packet = (attribute: string) => `<rdf:Description rdf:about="" ${attribute}/>`;
const JSON_TEXT = `[2,"${WEIGHTS}",[[1,null,"ukiyo-e",null]],[0.7,[[1,42]]]]`;

describe('what a picture says about itself', () => {
  it('is an XMP packet with the recipe and with the source that IPTC asks of generated pictures', () => {
    expect(xmpOf(recipe(), WEIGHTS)).toBe(
      [
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"',
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:artgan="urn:artgan:1"',
        ' xmp:CreatorTool="artgan"',
        ' Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"',
        ` artgan:recipe='${JSON_TEXT}'/></rdf:RDF></x:xmpmeta>`,
      ].join(''),
    );
  });

  it('gives the recipe back, whatever it is made of', () => {
    const recipes = [
      recipe(),
      recipe({ source: { kind: 'upload', sha256: 'cd'.repeat(32) } }),
      recipe({
        mix: [
          { weight: 0.25, conditions: { artist: '\'"&<>\\\u0000\u007f\ufffe', genre: '歌川-広重' } },
          { weight: 0.75, conditions: {} },
        ],
        source: {
          kind: 'latent',
          latent: [
            { weight: 0.6, seed: 0 },
            { weight: -0.8, seed: 2 ** 53 - 1 },
          ],
          truncation: 0,
        },
      }),
    ];
    for (const one of recipes) {
      const written = xmpOf(one, WEIGHTS);
      expect(written).toMatch(/^[ -~]+$/);
      expect(recipeIn(written)).toEqual(inFile(one));
    }
  });

  it('fits into what a JPEG can hold, whatever the recipe', () => {
    const widest = "''\u0000".repeat(67).slice(0, 200);
    const mix = Array.from({ length: 16 }, (_, i) => ({
      weight: 0.0625,
      conditions: { artist: `${String.fromCharCode(97 + i)}${widest.slice(1)}`, style: widest, genre: widest },
    }));
    const latent = Array.from({ length: 16 }, (_, i) => ({ weight: -0.25, seed: 2 ** 53 - 17 + i }));
    const large = recipe({ mix, source: { kind: 'latent', latent, truncation: 0.123456789 } });
    expect(xmpOf(large, WEIGHTS).length).toBeLessThan(65_000);
    expect(recipeIn(xmpOf(large, WEIGHTS))).toEqual(inFile(large));
  });

  it('is read as editors write it again: other quotes, numbers for characters, an element, blanks', () => {
    const quoted = JSON_TEXT.replaceAll('"', '&quot;');
    const numbered = JSON_TEXT.replaceAll('"', '&#34;').replaceAll('[', '&#x5B;');
    const spaced = JSON_TEXT.replaceAll(',', ', ');
    for (const text of [
      packet(`artgan:recipe="${quoted}"`),
      packet(`artgan:recipe="${numbered}"`),
      packet(`artgan:recipe = '${spaced}'`),
      `<artgan:recipe>${quoted}</artgan:recipe>`,
      `${'<xmp:History/>'.repeat(50_000)}<artgan:recipe>${JSON_TEXT}</artgan:recipe>`,
    ])
      expect(recipeIn(text), text.slice(-200)).toEqual(inFile(recipe()));
  });

  it('says that a newer server wrote it', () => {
    expect(recipeIn(packet(`artgan:recipe='[3,{"anything":true}]'`))).toEqual({ kind: 'newer', version: 3 });
  });

  it('is stored as it was read', () => {
    for (const found of [inFile(recipe()), { kind: 'newer', version: 3 }] as const)
      expect(readRecipe(recipeText(found))).toEqual(found);
    expect(recipeText(inFile(recipe()))).toBe(JSON_TEXT);
  });

  it('is nothing where it is not a recipe of ours', () => {
    const upper = JSON_TEXT.replace(WEIGHTS, WEIGHTS.toUpperCase());
    const wrong = [
      '',
      'no XML at all',
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
      ...[
        '',
        'null',
        '{}',
        '[]',
        '[2]',
        '[2.5]',
        '["3"]',
        '[1,"m",null,null,null,7,1]',
        `[1,"${WEIGHTS}",null,null,null,7,1]`,
        JSON_TEXT.replace(WEIGHTS, 'm1'),
        upper,
        JSON_TEXT.replace('0.7', '7'),
        JSON_TEXT.replace('[1,42]', '[0.5,42]'),
        JSON_TEXT.replace('42', '-1'),
        `${JSON_TEXT.slice(0, -1)},0]`,
        `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
        `[2${',0'.repeat(100_000)}]`,
        JSON_TEXT.replaceAll('"', '&x;'),
        JSON_TEXT.replaceAll('"', '&quot'),
        `${JSON_TEXT}&`,
        JSON_TEXT.replaceAll('"', '&#99999999;'),
        JSON_TEXT.replaceAll('"', '&#x110000;'),
      ].map((text) => packet(`artgan:recipe='${text}'`)),
      packet(`artgan:recipe='${JSON_TEXT}`),
      packet(`xartgan:recipe='${JSON_TEXT}'`),
      `<artgan:recipe>${JSON_TEXT}`,
      `${' '.repeat(1024 * 1024)}${packet(`artgan:recipe='${JSON_TEXT}'`)}`,
    ];
    for (const text of wrong) expect(recipeIn(text), text.slice(0, 200)).toBeUndefined();
  });

  it('expands nothing: a billion laughs stay one', () => {
    const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
    const laughs = `<!DOCTYPE x [<!ENTITY l0 "ha">${entities}]>${packet("artgan:recipe='&l9;'")}`;
    expect(recipeIn(laughs)).toBeUndefined();
  });

  it('is found or not found in time, whatever the text', () => {
    const half = 512 * 1024;
    const started = performance.now();
    for (const text of [
      ' artgan:recipe'.repeat(half / 14),
      ` artgan:recipe="${" artgan:recipe='".repeat(half / 16)}<`,
      '<artgan:recipe>'.repeat(half / 15),
      ` artgan:recipe${' '.repeat(half)}`,
      ` artgan:recipe='${'&'.repeat(60_000)}'`,
      ' '.repeat(half),
    ])
      expect(recipeIn(text)).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('does not depend on the server’s own name for the model', () => {
    const here = recipe({ modelId: 'here' });
    const there = recipe({ modelId: 'there' });
    expect(xmpOf(here, WEIGHTS)).toBe(xmpOf(there, WEIGHTS));
    expect(encodeRecipe(here)).not.toBe(encodeRecipe(there));
  });
});
