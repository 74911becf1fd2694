import { describe, expect, it } from 'vitest';
import { planArtBench, RECORD_BYTES } from '../../src/datasets/layouts/artbench.ts';
import { detectLayout } from '../../src/datasets/layouts/detect.ts';
import { planFolders } from '../../src/datasets/layouts/folders.ts';
import { planManifest } from '../../src/datasets/layouts/manifest.ts';
import { LayoutProblem } from '../../src/datasets/layouts/plan.ts';
import { planWikiArt } from '../../src/datasets/layouts/wikiart.ts';
import { listing } from './fixtures.ts';

const labelsOf = (plan: ReturnType<typeof planFolders>) =>
  Object.fromEntries(plan.entries.map((entry) => [entry.file, entry.labels]));
const lists = (texts: Record<string, string>) => ({ texts: new Map(Object.entries(texts)) });

describe('FOLDERS', () => {
  it('takes the top folder for a style where nothing says otherwise, and keeps works without a folder', () => {
    const plan = planFolders(listing(['Dots/a.jpg', 'Lines/b.png', 'Lines/notes.txt', 'c.webp', 'README.md']));
    expect(labelsOf(plan)).toEqual({
      'Dots/a.jpg': { style: 'Dots' },
      'Lines/b.png': { style: 'Lines' },
      'c.webp': {},
    });
  });

  it('tells artists and genres by words that it knows', () => {
    expect(labelsOf(planFolders(listing(['claude monet/a.jpg', 'Someone Else/b.jpg'])))).toEqual({
      'claude monet/a.jpg': { artist: 'claude monet' },
      'Someone Else/b.jpg': { artist: 'Someone Else' },
    });
    expect(labelsOf(planFolders(listing(['still_life/a.jpg', 'trees/b.jpg'])))['trees/b.jpg']).toEqual({
      genre: 'trees',
    });
  });

  it('goes by a folder that names the kind, also the collection itself, and passes over splits', () => {
    const files = ['train/artists/X/a.jpg', 'train/genres/Y/b.jpg', 'val/Z/images/c.jpg'];
    expect(labelsOf(planFolders(listing(files)))).toEqual({
      'train/artists/X/a.jpg': { artist: 'X' },
      'train/genres/Y/b.jpg': { genre: 'Y' },
      'val/Z/images/c.jpg': { style: 'Z' },
    });
    expect(labelsOf(planFolders(listing(['X/a.jpg'], { name: 'Artists' })))).toEqual({ 'X/a.jpg': { artist: 'X' } });
  });

  it('reads style/artist and artist/style, and leaves deeper folders that are no names alone', () => {
    expect(labelsOf(planFolders(listing(['Baroque/Diego Velázquez/a.jpg', 'Baroque/Anna Someone/b.jpg'])))).toEqual({
      'Baroque/Diego Velázquez/a.jpg': { style: 'Baroque', artist: 'Diego Velázquez' },
      'Baroque/Anna Someone/b.jpg': { style: 'Baroque', artist: 'Anna Someone' },
    });
    expect(labelsOf(planFolders(listing(['Claude Monet/Impressionism/a.jpg'])))).toEqual({
      'Claude Monet/Impressionism/a.jpg': { artist: 'Claude Monet', style: 'Impressionism' },
    });
    expect(
      labelsOf(planFolders(listing(['Baroque/1650s/a.jpg', 'Baroque/batch2/b.jpg'])))['Baroque/1650s/a.jpg'],
    ).toEqual({
      style: 'Baroque',
    });
  });
});

describe('MANIFEST', () => {
  it('reads any order and case of columns, with a mark, CRLF, quotes and non-ASCII text', () => {
    const csv =
      '\ufeffTitle,YEAR,"File Name",Artist,extra,Style,Genre\r\n' +
      '"The ""Wave"", again",c. 1831,a.jpg,Hokusai,x,Ukiyo-e,landscape\r\n' +
      'Zwölf Bäume,,images/b.jpg,"Müller, Änne",,,\r\n\r\n';
    const plan = planManifest(
      listing(['images/a.jpg', 'images/b.jpg', 'images/c.jpg'], lists({ 'manifest.csv': csv })),
    );
    expect(plan.issues).toEqual([]);
    expect(plan.entries).toEqual([
      {
        file: 'images/a.jpg',
        title: 'The "Wave", again',
        year: 1831,
        labels: { artist: 'Hokusai', style: 'Ukiyo-e', genre: 'landscape' },
      },
      { file: 'images/b.jpg', title: 'Zwölf Bäume', labels: { artist: 'Müller, Änne' } },
    ]);
  });

  it.each([';', '\t', '|'])('reads lists separated by %j', (separator) => {
    const csv = `file${separator}style\na.jpg${separator}Cubism\n`;
    expect(planManifest(listing(['a.jpg'], lists({ 'Manifest.CSV': csv }))).entries[0]?.labels).toEqual({
      style: 'Cubism',
    });
  });

  it('tells of lines without a file, files that are not there, ways out, and contradictions', () => {
    const csv =
      'file,style\na.jpg,Baroque\n,Rococo\nb.jpg,Rococo\n../../etc/passwd,x\n/etc/passwd,x\na.jpg,Rococo\na.jpg,baroque\nlink.jpg,x\n';
    const plan = planManifest(
      listing(['a.jpg'], { ...lists({ 'manifest.csv': csv }), refused: new Set(['link.jpg']) }),
    );
    expect(plan.entries).toEqual([{ file: 'a.jpg', labels: { style: 'Baroque' } }]);
    expect(plan.issues.map(({ file, code }) => [file, code])).toEqual([
      ['manifest.csv:3', 'BAD_LINE'],
      ['b.jpg', 'MISSING'],
      ['manifest.csv:5', 'OUTSIDE_ROOT'],
      ['manifest.csv:6', 'OUTSIDE_ROOT'],
      ['a.jpg', 'CONFLICTING_LABEL'],
    ]);
  });

  it('refuses a collection without a list, and a list that is no CSV', () => {
    expect(() => planManifest(listing(['a.jpg'], lists({ 'x.csv': 'picture of,thing\n' })))).toThrow(LayoutProblem);
    expect(() => planManifest(listing(['a.jpg'], lists({ 'manifest.csv': 'file,style\n"a.jpg,x\n' })))).toThrow(/CSV/);
  });
});

describe('WIKIART', () => {
  const village = 'Post_Impressionism/maurice-de-vlaminck_the-village.jpg';
  const sorolla = 'Impressionism/joaquín-sorolla_white-slave-trade-1895.jpg';
  const nouveau = 'Art_Nouveau_Modern/boris-kustodiev_the-fair-1906.jpg';
  const plain = 'Ukiyo_e/katsushika-hokusai_the-great-wave.jpg';
  const texts = {
    'wikiart_csv/Style/style_class.txt':
      '0 Abstract_Expressionism\n3 Art_Nouveau\n12 Impressionism\n20 Post_Impressionism\n',
    'wikiart_csv/Style/style_train.csv': `${nouveau},3\r\nImpressionism/joaquã\u00adn-sorolla_white-slave-trade-1895.jpg,12\r\n`,
    'wikiart_csv/Genre/genre_class': '0 abstract_painting\n1 cityscape\n2 genre_painting\n4 landscape\n',
    'wikiart_csv/Genre/genre_train.csv': `${village},1\r\n${nouveau},2\r\nBaroque/gone_away.jpg,4\r\n`,
    'wikiart_csv/Genre/genre_val.csv': `${village},4\r\n${plain},99\r\n`,
    'wikiart_csv/Artist/artist_class': '0 Albrecht_Durer\n1 Boris_Kustodiev\n',
    'wikiart_csv/Artist/artist_train': `(Path to image),, (Groundtruth class)\n\n${nouveau},,1\n`,
    'old/genre/classes': 'portrait 0\nlandscape 1\n',
  };
  const plan = planWikiArt(listing([village, sorolla, nouveau, plain], lists(texts)));

  it('joins its lists through every trap', () => {
    expect(labelsOf(plan)).toEqual({
      [village]: { style: 'Post_Impressionism', artist: 'Maurice de Vlaminck', genre: 'cityscape' },
      [sorolla]: { style: 'Impressionism', artist: 'Joaquín Sorolla' },
      [nouveau]: { style: 'Art_Nouveau', artist: 'Boris_Kustodiev', genre: 'genre_painting' },
      [plain]: { style: 'Ukiyo_e', artist: 'Katsushika Hokusai' },
    });
    expect(plan.entries.find(({ file }) => file === nouveau)).toMatchObject({ title: 'The fair', year: 1906 });
  });

  it('tells of the work with two genres, of one that is not there, and of an impossible class, and of nothing else', () => {
    expect(plan.issues.map(({ file, code }) => [file, code])).toEqual([
      ['Baroque/gone_away.jpg', 'MISSING'],
      [village, 'CONFLICTING_LABEL'],
      ['wikiart_csv/Genre/genre_val.csv:2', 'BAD_LINE'],
    ]);
  });

  it('does not go by a class file of another order, and knows the published one', () => {
    const old = planWikiArt(listing([plain], lists({ genre_class: 'portrait 0\n', 'genre_val.csv': `${plain},4\n` })));
    expect(old.entries[0]?.labels.genre).toBe('landscape');
    expect(old.issues.map(({ code }) => code)).toEqual(['BAD_LINE']);
  });

  it('refuses a folder that is none of WikiArt’s', () => {
    expect(() => planWikiArt(listing(['Dots/a.jpg']))).toThrow(LayoutProblem);
  });
});

describe('ARTBENCH', () => {
  it('reads the binaries by their labels, and tells of half a record and of an unknown class', () => {
    const records = new Map([
      ['x/test_batch.bin', { labels: Uint8Array.of(9, 0, 10), rest: 5 }],
      ['x/data_batch_1.bin', { labels: Uint8Array.of(4), rest: 0 }],
    ]);
    const plan = planArtBench(listing([...records.keys()], { records }));
    expect(plan.entries).toEqual([
      {
        file: 'x/data_batch_1.bin:00000',
        slice: { file: 'x/data_batch_1.bin', at: 1, side: 32 },
        labels: { style: 'post_impressionism' },
      },
      {
        file: 'x/test_batch.bin:00000',
        slice: { file: 'x/test_batch.bin', at: 1, side: 32 },
        labels: { style: 'ukiyo_e' },
      },
      {
        file: 'x/test_batch.bin:00001',
        slice: { file: 'x/test_batch.bin', at: RECORD_BYTES + 1, side: 32 },
        labels: { style: 'art_nouveau' },
      },
    ]);
    expect(plan.issues.map(({ file, code }) => [file, code])).toEqual([
      ['x/test_batch.bin', 'TRUNCATED'],
      ['x/test_batch.bin:00002', 'BAD_LINE'],
    ]);
  });

  it('takes the names of the classes from beside the binaries', () => {
    const records = new Map([['data_batch_1.bin', { labels: Uint8Array.of(1), rest: 0 }]]);
    const plan = planArtBench(listing([], { records, ...lists({ 'batches.meta.txt': 'cat\ndog\n\n' }) }));
    expect(plan.entries[0]?.labels).toEqual({ style: 'dog' });
  });

  it('reads the folders, with and without a split', () => {
    const plan = planArtBench(
      listing(['train/ukiyo_e/utagawa-kuniyoshi_tiger.jpg', 'surrealism/b.jpg', 'notes.txt', 'x.jpg']),
    );
    expect(labelsOf(plan)).toEqual({
      'surrealism/b.jpg': { style: 'surrealism' },
      'train/ukiyo_e/utagawa-kuniyoshi_tiger.jpg': { style: 'ukiyo_e', artist: 'Utagawa Kuniyoshi' },
    });
    expect(() => planArtBench(listing(['x.jpg', 'data_batch_1']))).toThrow(LayoutProblem);
  });
});

describe('AUTO', () => {
  it.each([
    ['MANIFEST', ['images/a.jpg'], { 'manifest.csv': 'file,style\n' }],
    ['MANIFEST', ['a.jpg'], { 'works.csv': 'Image;Artist\na.jpg;x\n' }],
    ['MANIFEST', ['Baroque/rembrandt-x_the-watch.jpg'], { 'metadata.csv': 'file_name,text\n' }],
    ['FOLDERS', ['a/x.jpg'], { 'statistics.csv': 'week,visitors\n' }],
    ['WIKIART', ['Baroque/a.jpg'], { 'Style/style_train.csv': 'Baroque/a.jpg,4\n' }],
    ['WIKIART', ['Baroque/peter-paul-rubens_head.jpg', 'Ukiyo_e/hokusai_wave.jpg'], {}],
    ['ARTBENCH', ['test/post_impressionism/vincent-van-gogh_field.jpg', 'train/ukiyo_e/hokusai_wave.jpg'], {}],
    ['FOLDERS', ['Baroque/IMG_1.jpg', 'Rococo/scan_b.jpg'], {}],
    ['FOLDERS', ['Baroque/one.jpg', 'x.jpg'], {}],
    // A list in a subfolder speaks of that folder alone.
    ['FOLDERS', ['Baroque/a.jpg', 'Cubism/b.jpg'], { 'Baroque/metadata.csv': 'file,title\na.jpg,A\n' }],
    ['FOLDERS', [], {}],
  ])('takes it for %s', (layout, files, texts) => {
    expect(detectLayout(listing(files, lists(texts)))).toBe(layout);
  });

  it('takes binaries for ArtBench', () => {
    const records = new Map([['data_batch_1.bin', { labels: Uint8Array.of(1), rest: 0 }]]);
    expect(detectLayout(listing([], { records }))).toBe('ARTBENCH');
  });
});
