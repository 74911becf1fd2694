import { describe, expect, it } from 'vitest';
import { didYouMean, displayName, matchKey, slugOf } from '../../src/core/labels.ts';

describe('slugs and spellings', () => {
  it.each([
    ['Ukiyo-e', 'ukiyo-e'],
    ['Ukiyo_e', 'ukiyo-e'],
    [' Édouard  Manet ', 'edouard-manet'],
    ['Vincent van Gogh', 'vincent-van-gogh'],
    ["Giorgio de Chirico's", 'giorgio-de-chiricos'],
    ['Søren Kierkegaard', 'soren-kierkegaard'],
    ['葛飾北斎', '葛飾北斎'],
    ['---', ''],
  ])('%s -> %s', (name, slug) => expect(slugOf(name)).toBe(slug));

  it.each(['ukiyo e', 'UKIYO-E', 'Ukiyo_e', 'ukiyoe', 'Ukiyō-e'])('%s means Ukiyo-e', (typed) => {
    expect(matchKey(typed)).toBe(matchKey('Ukiyo-e'));
  });

  it('shows a folder name as a person would write it', () =>
    expect(displayName('Post_Impressionism ')).toBe('Post Impressionism'));
});

describe('did you mean', () => {
  const names = ['Ukiyo-e', 'Realism', 'Romanticism', 'Impressionism', 'Post-Impressionism'];
  it.each([
    ['Ukiyoo', 'Ukiyo-e'],
    ['realsm', 'Realism'],
    ['impresionism', 'Impressionism'],
  ])('%s: %s first', (typed, name) => expect(didYouMean(typed, names)[0]).toBe(name));

  it('says nothing where nothing is near', () => expect(didYouMean('xyzzy', names)).toEqual([]));
});
