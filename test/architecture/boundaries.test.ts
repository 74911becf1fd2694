/**
 * Who may import whom. A rule names the files that it is for and all that these may name; the first rule that fits counts.
 * In a rule, `core/` is a folder of src/, `core/errors.ts` a file, and anything else a package with all that is below it.
 */
import { describe, expect, it } from 'vitest';
import { importsOf, loadedBy, sources } from './imports.ts';

interface Rule {
  readonly files: RegExp;
  readonly may: readonly string[];
}

const NODE = ['node:'];
const DRIZZLE = ['drizzle-orm'];
const PACKS = ['datasets/pack.ts', 'datasets/pack-reader.ts'];

const rules: readonly Rule[] = [
  // Pure: no files, no network, no clock.
  { files: /^core\//, may: ['core/', 'zod', 'node:zlib'] },
  { files: /^config\.ts$/, may: ['core/', 'node:path'] },
  { files: /^log\.ts$/, may: ['config.ts', 'pino'] },

  { files: /^engine\/protocol\.ts$/, may: ['core/'] },
  { files: /^engine\/parse\.ts$/, may: ['core/', 'engine/protocol.ts', 'zod'] },
  { files: /^engine\/tensorflow\.ts$/, may: ['@tensorflow/tfjs-core', 'node:fs', 'node:module', 'node:util'] },
  // Any function of tensors as a TensorFlow graph: it knows of no networks.
  {
    files: /^engine\/graph\//,
    may: [
      'core/',
      'engine/graph/',
      'engine/tensorflow.ts',
      '@tensorflow/tfjs-core',
      'node:crypto',
      'node:fs',
      'node:os',
      'node:path',
    ],
  },
  // Networks and formulas: they know of no files and no messages.
  {
    files: /^engine\/gan\//,
    may: ['core/', 'engine/gan/', 'engine/graph/', 'engine/tensorflow.ts', '@tensorflow/tfjs-core'],
  },
  // Works as numbers: which ones a step sees, cut out of a pack. The thread that reads them loads no TensorFlow.
  {
    files: /^engine\/data\/batch-worker\.ts$/,
    may: ['core/', 'engine/data/', 'datasets/pack-reader.ts', 'node:worker_threads', 'zod'],
  },
  {
    files: /^engine\/data\//,
    may: ['core/', 'engine/data/', 'engine/gan/', ...PACKS, 'node:worker_threads'],
  },
  // Measures: they know of no files but packs, and of no messages.
  {
    files: /^engine\/evaluation\//,
    may: [
      ...['core/', 'engine/evaluation/', 'engine/data/', 'engine/gan/', 'engine/graph/', 'engine/tensorflow.ts'],
      ...[...PACKS, '@tensorflow/tfjs-core', 'node:timers'],
    ],
  },
  {
    files: /^engine\/child\//,
    may: [
      ...['core/', 'engine/child/', 'engine/data/', 'engine/evaluation/', 'engine/gan/', 'engine/graph/'],
      ...['engine/tensorflow.ts'],
      ...['engine/protocol.ts', 'engine/parse.ts'],
      ...[...PACKS, '@tensorflow/tfjs-core', 'zod'],
      ...['node:crypto', 'node:fs', 'node:path', 'node:timers'],
    ],
  },
  {
    files: /^engine\/host\//,
    may: [
      'core/',
      'engine/host/',
      'engine/protocol.ts',
      'engine/parse.ts',
      'node:child_process',
      'node:os',
      'node:url',
    ],
  },

  { files: /^datasets\/layouts\//, may: ['core/', 'datasets/layouts/', 'datasets/entry.ts', 'csv-parse'] },
  { files: /^datasets\/decode\.ts$/, may: ['datasets/', 'sharp'] },
  {
    files: /^datasets\//,
    may: ['core/', 'datasets/', 'zod', 'node:crypto', 'node:fs', 'node:os', 'node:path'],
  },

  { files: /^store\/pglite\.ts$/, may: ['core/', 'store/', ...DRIZZLE, ...NODE, '@electric-sql/pglite'] },
  { files: /^store\/(postgres|listener)\.ts$/, may: ['core/', 'store/', ...DRIZZLE, 'pg'] },
  { files: /^store\//, may: ['core/', 'store/', ...DRIZZLE, ...NODE, 'zod'] },

  { files: /^services\/zip\.ts$/, may: ['client-zip', 'node:stream'] },
  { files: /^services\/(moving-)?pictures\.ts$/, may: ['core/', 'sharp'] },
  {
    files: /^services\//,
    may: [
      'core/',
      'services/',
      'store/',
      'datasets/',
      'engine/host/',
      'engine/protocol.ts',
      'lru-cache',
      'thumbhash',
      'zod',
      ...NODE,
    ],
  },

  {
    files: /^resolvers\//,
    may: [
      ...['core/', 'resolvers/', 'services/', 'store/', 'datasets/layouts/plan.ts'],
      ...['type-graphql', 'reflect-metadata', 'graphql', 'graphql-scalars', 'dataloader'],
    ],
  },
  { files: /^server\/meters\.ts$/, may: ['prom-client'] },
  {
    files: /^server\/traces\.ts$/,
    may: ['server/operations/', 'server/visit.ts', '@opentelemetry', 'node:timers'],
  },
  // What operations pass through: it knows of no sockets.
  {
    files: /^server\/operations\//,
    may: [
      ...['core/', 'server/operations/', 'server/visit.ts', 'resolvers/', 'store/', ...NODE],
      ...['@apollo/server', 'graphql', 'lru-cache', 'zod'],
    ],
  },
  {
    files: /^server\/streams\//,
    may: [
      ...['core/', 'server/streams/', 'server/operations/', 'server/visit.ts', 'resolvers/', ...NODE],
      ...['graphql', 'lru-cache'],
    ],
  },
  {
    files: /^server\//,
    may: [
      ...['core/', 'server/', 'resolvers/', 'services/', 'store/', 'config.ts', ...NODE],
      ...['express', 'graphql', 'graphql-ws', 'ws'],
    ],
  },
  {
    files: /^app\.ts$/,
    may: [...['core/', 'services/', 'store/', 'resolvers/', 'server/', 'engine/host/', 'config.ts', ...NODE]],
  },
  { files: /^main\.ts$/, may: ['core/', 'app.ts', 'config.ts', 'log.ts'] },
];

function covers(allowed: string, what: string): boolean {
  if (allowed.endsWith('/') || allowed.endsWith(':')) return what.startsWith(allowed);
  return what === allowed || (!allowed.endsWith('.ts') && what.startsWith(`${allowed}/`));
}

function faultsOf(file: string, text: string): string[] {
  const rule = rules.find(({ files }) => files.test(file));
  if (rule === undefined) return [`${file} has no rule: say in test/architecture what it may import`];
  return importsOf(file, text)
    .filter(({ what }) => !rule.may.some((allowed) => covers(allowed, what)))
    .map(({ what }) => `${file} may not import ${what}`);
}

/** A folder of src/ with all below it, one of the engine's folders, or a file that lies in src/ or engine/ itself. */
function partOf(file: string): string {
  const [top = '', ...rest] = file.split('/');
  return top === 'engine' ? `engine/${rest[0]}` : top;
}

const files = sources();
const filesWith = (pattern: RegExp) => [...files].filter(([, text]) => pattern.test(text)).map(([file]) => file);
const isEngine = (name: string) =>
  name.startsWith('@tensorflow/') || /^engine\/(tensorflow\.ts|gan\/|graph\/|data\/|evaluation\/|child\/)/.test(name);

describe('the parts of the program', () => {
  it('import only what their place allows', () => {
    expect(files.size).toBeGreaterThan(50);
    expect([...files].flatMap(([file, text]) => faultsOf(file, text))).toEqual([]);
  });

  it('are told apart by these rules', () => {
    const wrong = [
      ['core/x.ts', "import type { Job } from '../engine/protocol.ts';"],
      ['core/x.ts', "import { readFile } from 'node:fs/promises';"],
      ['engine/gan/x.ts', "export * from '../protocol.ts';"],
      ['engine/host/x.ts', "const load = () => import('../tensorflow.ts');"],
      ['store/x.ts', "import '../services/training.ts';"],
      ['services/x.ts', "import {\n  type Thing,\n} from 'type-graphql';"],
      ['nowhere/x.ts', ''],
    ] as const;
    expect(wrong.flatMap(([file, text]) => faultsOf(file, text))).toEqual([
      'core/x.ts may not import engine/protocol.ts',
      'core/x.ts may not import node:fs/promises',
      'engine/gan/x.ts may not import engine/protocol.ts',
      'engine/host/x.ts may not import engine/tensorflow.ts',
      'store/x.ts may not import services/training.ts',
      'services/x.ts may not import type-graphql',
      'nowhere/x.ts has no rule: say in test/architecture what it may import',
    ]);
  });

  it('are allowed no more than they use', () => {
    const slack = rules.flatMap(({ files: which, may }) => {
      const theirs = [...files].filter(([file]) => rules.find((rule) => rule.files.test(file))?.files === which);
      const named = theirs.flatMap(([file, text]) => importsOf(file, text).map(({ what }) => what));
      const unused = may.filter((allowed) => !named.some((what) => covers(allowed, what)));
      return unused.map((allowed) => `${which} allows ${allowed}, which nothing imports`);
    });
    expect(slack).toEqual([]);
  });

  it('do not depend on each other in a circle', () => {
    const needs = new Map<string, Set<string>>();
    for (const [file, text] of files) {
      const part = partOf(file);
      const others = importsOf(file, text).flatMap(({ what }) => (files.has(what) ? partOf(what) : []));
      needs.set(part, new Set([...(needs.get(part) ?? []), ...others.filter((other) => other !== part)]));
    }
    // Parts that need nothing, then those that need only these, and so on: a circle is what is left.
    for (let free = [...needs.keys()]; free.length > 0; ) {
      free = [...needs].filter(([, others]) => [...others].every((other) => !needs.has(other))).map(([part]) => part);
      for (const part of free) needs.delete(part);
    }
    expect([...needs].map(([part, others]) => `${part} needs ${[...others].join(', ')}`)).toEqual([]);
  });

  it('decode and encode pictures in one place each, and name TensorFlow’s types in the engine alone', () => {
    const naming = (wanted: (what: string, typeOnly: boolean) => boolean) =>
      [...files]
        .filter(([file, text]) => importsOf(file, text).some(({ what, typeOnly }) => wanted(what, typeOnly)))
        .map(([file]) => file);
    expect(naming((what) => what === 'sharp')).toEqual([
      'datasets/decode.ts',
      'services/moving-pictures.ts',
      'services/pictures.ts',
    ]);
    const isTensorFlow = (what: string) => what.startsWith('@tensorflow/');
    expect(naming(isTensorFlow).filter((file) => !isEngine(file))).toEqual([]);
    // What is loaded is chosen by engine/tensorflow.ts when it runs.
    expect(naming((what, typeOnly) => isTensorFlow(what) && !typeOnly)).toEqual([]);
    expect(filesWith(/['"]@tensorflow\/tfjs-node/)).toEqual(['engine/tensorflow.ts']);
  });

  it('load TensorFlow in the engine’s own process alone, and nothing of the server there', () => {
    const api = ['app.ts', 'main.ts'].flatMap((entry) => [...loadedBy(entry, files)]);
    const services = [...files.keys()].filter((file) => file.startsWith('services/'));
    const reached = [...api, ...services.flatMap((file) => [...loadedBy(file, files)])];
    expect(reached.filter(isEngine)).toEqual([]);
    const child = [...loadedBy('engine/child/main.ts', files)];
    expect(child).toContain('engine/gan/trainer.ts');
    expect(
      child.filter((name) => /^(sharp|pg|express|graphql|drizzle-orm|@electric-sql|services|store)\b/.test(name)),
    ).toEqual([]);
  });

  it('decode what strangers send in a process that knows nothing of the server', () => {
    const decoder = [...loadedBy('services/upload-child.ts', files)];
    expect(decoder).toContain('datasets/decode.ts');
    expect(
      decoder.filter((name) => /^(store|server|resolvers|engine|app\.ts|config\.ts|pg|drizzle-orm)\b/.test(name)),
    ).toEqual([]);
  });

  it('read the environment in two places, and hand it on in one', () => {
    expect(filesWith(/\bprocess\.env\b/)).toEqual([
      'config.ts',
      // A child has the environment of its parent.
      'engine/host/child-process.ts',
      'engine/tensorflow.ts',
    ]);
  });

  it('have no clock and no chance of their own in core and in the networks', () => {
    const impure = /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|process\.|console\.|fetch\()/;
    expect(filesWith(impure).filter((file) => /^(core|engine\/gan)\//.test(file))).toEqual([]);
  });

  it('are put together in app.ts alone', () => {
    const builds =
      /\bnew (\w+Service|RunDriver|Blobs)\(|\bLogFeed\.\w+\(|\bGenerator\.start\(|(?<!function )\bopenStore\(/;
    // AccessService.open looks at the keys before anybody may ask.
    expect(filesWith(builds).filter((file) => !['app.ts', 'services/access.ts'].includes(file))).toEqual([]);
  });
});
