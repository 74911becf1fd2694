import { describe, expect, it } from 'vitest';
import { artistAndTitle, PathFinder, unmojibake, yearOf } from '../../src/datasets/layouts/names.ts';
import { LabelBook } from '../../src/datasets/layouts/vocabulary.ts';

describe('names of files', () => {
  it('tells artist, title and year of a WikiArt name', () => {
    expect(artistAndTitle('Baroque/vincent-van-gogh_l-arlesienne-portrait-1890(2).jpg')).toEqual({
      artist: 'Vincent van Gogh',
      title: 'L arlesienne portrait',
      year: 1890,
    });
    expect(artistAndTitle('rembrandt_woman-standing.jpg')).toEqual({ artist: 'Rembrandt', title: 'Woman standing' });
    expect(artistAndTitle('x/claude-monet_water-lilies-1908-1.jpg')).toMatchObject({
      title: 'Water lilies',
      year: 1908,
    });
  });

  it('finds no artist in the names that cameras and scanners give', () => {
    for (const name of ['IMG_1234.jpg', 'scan-2_a.jpg', 'DSC_0001 copy.jpg', 'x.jpg', '_a.jpg', 'page_12.png'])
      expect(artistAndTitle(name)).toEqual({});
  });

  it('finds a year in what museums write', () => {
    expect(['1848', 'c. 1848', '1503–1519', 'ca. 950', '1856-1858', 'before 1900?'].map(yearOf)).toEqual([
      1848, 1848, 1503, 950, 1856, 1900,
    ]);
    expect(['', undefined, 'n.d.', '18th century', '12345', '0000', '9999'].map(yearOf)).toEqual(
      Array(7).fill(undefined),
    );
  });

  it('undoes UTF-8 that was read as Latin-1, also after it was put in lower case', () => {
    expect(unmojibake('joaquã\u00adn-sorolla')).toBe('joaquín-sorolla');
    expect(unmojibake('joaquÃ\u00adn-sorolla')).toBe('joaquín-sorolla');
    expect(unmojibake('ã©douard-manet')).toBe('édouard-manet');
    expect(unmojibake('joaquín-sorolla')).toBe('joaquín-sorolla');
    expect(unmojibake('são-paulo')).toBe('são-paulo');
  });
});

describe('PathFinder', () => {
  const damaged = 'Impressionism/joaquã\u00adn-sorolla_white-slave-trade-1895.jpg';

  it.each([
    ['as it should be', 'Impressionism/joaquín-sorolla_white-slave-trade-1895.jpg'],
    ['decomposed, as on a Mac', 'Impressionism/joaqui\u0301n-sorolla_white-slave-trade-1895.jpg'],
    ['as unzip escapes it', 'Impressionism/joaqu#U00edn-sorolla_white-slave-trade-1895.jpg'],
    ['with a question mark', 'Impressionism/joaqu?n-sorolla_white-slave-trade-1895.jpg'],
    ['damaged in the same way', damaged],
    ['in another case', 'impressionism/JOAQUÍN-sorolla_White-Slave-Trade-1895.JPG'],
  ])('finds a file for a damaged line where the disk has it %s', (_, file) => {
    expect(new PathFinder([file, 'Impressionism/claude-monet_haystacks.jpg']).find(damaged)).toBe(file);
  });

  it('does not take one file for another', () => {
    const finder = new PathFinder(['a/one_1.jpg', 'a/絵画.jpg', 'a/b.jpg', 'A/B.jpg']);
    for (const path of ['a/one-1.jpg', 'a/one1.jpg', 'a/風景.jpg', 'A/b.jpg', 'two.jpg', ''])
      expect(finder.find(path)).toBeUndefined();
    expect(finder.find('a/b.jpg')).toBe('a/b.jpg');
  });
});

describe('LabelBook', () => {
  it('gives all spellings of a label one slug and one name', () => {
    const book = new LabelBook();
    for (const spelling of ['Ukiyo_e', 'ukiyo e', 'UKIYO-E', 'Ukiyoe'])
      expect(book.of('style', spelling)).toEqual({ slug: 'ukiyo-e', name: 'Ukiyo-e' });
    expect(book.of('style', 'Art_Nouveau_Modern')).toEqual({ slug: 'art-nouveau', name: 'Art Nouveau' });
    expect(book.of('artist', 'Paul_Cezanne')).toEqual({ slug: 'paul-cezanne', name: 'Paul Cézanne' });
    expect(book.of('style', 'My_Own  Style')).toEqual({ slug: 'my-own-style', name: 'My Own Style' });
    expect(book.of('style', 'my-ownstyle')).toEqual({ slug: 'my-own-style', name: 'My Own Style' });
  });

  it('takes no label from what says nothing', () => {
    const book = new LabelBook();
    for (const text of [undefined, '', '  ', '—', 'Unknown', 'unknown artist', 'N/A', 'null', 'x'.repeat(121)])
      expect(book.of('artist', text)).toBeUndefined();
  });
});
