/** The terminal commands, as users run them: programs against a server over its port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi, tinyRun, writeColours } from '../helpers/api.ts';
import { testDatabase } from '../helpers/database.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const running = new Set<ChildProcess>();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'artgan-cli-'));
});

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  await rm(folder, { recursive: true, force: true });
});

class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  #output = '';

  constructor(file: string, args: readonly string[], settings: NodeJS.ProcessEnv = {}) {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...settings };
    this.child = spawn(process.execPath, [file, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk) => {
        this.#output += chunk;
      });
    this.ended = once(this.child, 'close').then(([code]) => code);
  }

  get output(): string {
    return this.#output;
  }

  /** Waits until it has written this. @throws where it ends without */
  async says(pattern: RegExp): Promise<string> {
    let over = false;
    void this.ended.then(() => {
      over = true;
    });
    while (true) {
      const [found] = pattern.exec(this.#output) ?? [];
      if (found !== undefined) return found;
      if (over) throw new Error(`It ended without ${pattern}:\n${this.#output}`);
      const more = [this.child.stdout, this.child.stderr].flatMap((out) => (out === null ? [] : [once(out, 'data')]));
      await Promise.race([...more, this.ended]);
    }
  }
}

const train = (...args: string[]) => new Program(join(ROOT, 'scripts', 'train.mjs'), args);
const generate = (...args: string[]) => new Program(join(ROOT, 'scripts', 'generate.mjs'), args);

/** tinyRun as arguments. */
function tiny(steps: number, config: object = {}): string[] {
  const { dataset, resolution, batchSize, seed } = tinyRun;
  const numbers = ['--resolution', resolution, '--batch-size', batchSize, '--seed', seed, '--steps', steps];
  return [
    ...['--dataset', dataset, '--config', JSON.stringify({ ...tinyRun.config, ...config })],
    ...numbers.map(String),
  ];
}

describe('npm run train and npm run generate', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
    await api.importColours();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it('train shows a run to its end, and its model paints pictures into a folder', async () => {
    const training = train(...tiny(4), '--name', 'Evening', '--url', api.url);
    expect([await training.ended, training.output.split('\n')[0]]).toEqual([0, expect.stringContaining('Run Evening')]);
    expect(training.output).toMatch(
      /^ {1,2}25 % {2}step 1\/4 {2}D [\d.]+ G [\d.]+ L2 [\d.]+ {2}[\d.]+ images\/s {2}.* left$/m,
    );
    expect(training.output).toMatch(/^completed$/m);
    const [, sample = ''] = /^step 2: samples (\S+)$/m.exec(training.output) ?? [];
    expect((await fetch(sample)).headers.get('content-type')).toBe('image/png');
    const [, model = ''] = /^Model (\S+)$/m.exec(training.output) ?? [];

    const painting = generate(
      '--label',
      'warm',
      '-n',
      '3',
      '--seed',
      '41',
      '--out',
      'a',
      '--model',
      model,
      '--url',
      api.url,
    );
    expect([await painting.ended, painting.output]).toEqual([
      0,
      [41, 42, 43].map((seed) => `${join('a', `warm-${seed}.png`)}  seed ${seed}\n`).join('') +
        `${join('a', 'contact-sheet.png')}\n`,
    ]);
    expect(await sharp(join(folder, 'a', 'warm-42.png')).metadata()).toMatchObject({
      format: 'png',
      width: 32,
      height: 32,
    });
    expect(await sharp(join(folder, 'a', 'contact-sheet.png')).metadata()).toMatchObject({ format: 'png', width: 280 });

    const again = generate(
      '--style',
      'Warm',
      '--count',
      '1',
      '--seed',
      '42',
      '--out',
      'b',
      '--model',
      model,
      '--url',
      api.url,
    );
    expect(await again.ended).toBe(0);
    const [first, second] = await Promise.all(['a', 'b'].map((out) => readFile(join(folder, out, 'warm-42.png'))));
    expect(second).toEqual(first);

    const webp = generate(
      '--style',
      'cool',
      '--artist',
      'bea blue',
      '-n',
      '1',
      '--format',
      'webp',
      '--seed',
      '1',
      '--url',
      api.url,
    );
    expect(await webp.ended).toBe(0);
    expect((await readdir(join(folder, 'pictures'))).sort()).toEqual(['bea-blue-cool-1.webp', 'contact-sheet.png']);
  });

  it('train leaves the run alone on Ctrl-C, and is attached to it again', async () => {
    const first = train(...tiny(60, { sampleEvery: 60, checkpointEvery: 60 }), '--url', api.url);
    await first.says(/step 2\/60/);
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(1);
    const [, run = ''] =
      /The run goes on in the server\. Watch it again: npm run train -- --run (\S+)$/m.exec(first.output) ?? [];
    const second = train('--run', run, '--url', api.url);
    expect(await second.ended).toBe(0);
    expect(second.output).toMatch(/step 1\/60[\s\S]+step 60\/60[\s\S]+^completed$/m);
  });

  it('train ends with 1 where the run does not complete', async () => {
    const training = train(...tiny(100_000, { sampleEvery: 100_000, checkpointEvery: 100_000 }), '--url', api.url);
    await training.says(/step 1\/100000|0 %/);
    const [, run = ''] = /^Run .* \((\S+)\)$/m.exec(training.output) ?? [];
    await api.run('cancel-training', { run });
    expect(await training.ended).toBe(1);
    expect(training.output).toMatch(/^cancelled/m);
  });

  it('tell the mistakes of the user in words', async () => {
    const of = async (program: Program) => [await program.ended, program.output.trim()];
    const at = ['--url', api.url];
    expect(await of(train('--dataset', 'color', '--steps', '4', ...at))).toEqual([
      1,
      expect.stringMatching(/"color".*UNKNOWN_DATASET at input.dataset/),
    ]);
    expect(await of(train('--dataset', 'colours', '--steps', '0', ...at))).toEqual([
      1,
      expect.stringMatching(/steps must be.*INVALID_INPUT/),
    ]);
    expect(await of(train('--dataset', 'colours', '--steps', 'many', ...at))).toEqual([
      1,
      '--steps must be a whole number, not "many".',
    ]);
    expect(await of(train('--dataset', 'colours', '--steps', '4', '--config', '{', ...at))).toEqual([
      1,
      expect.stringMatching(/^--config must be JSON/),
    ]);
    expect(await of(train(...at))).toEqual([1, expect.stringMatching(/^Say what to train on/)]);
    expect(await of(train('--run', 'nothing', ...at))).toEqual([
      1,
      expect.stringMatching(/no training run with the id "nothing"/),
    ]);
    expect(await of(train('--stpes', '4', ...at))).toEqual([1, expect.stringMatching(/--stpes[\s\S]*--help/)]);
    expect(await of(generate('--label', 'warn', ...at))).toEqual([
      1,
      expect.stringMatching(/Did you mean "Warm"\? \[UNKNOWN_LABEL\]/),
    ]);
    expect(await of(generate('--label', 'warm', '--format', 'bmp', ...at))).toEqual([
      1,
      expect.stringMatching(/^--format must be one of png/),
    ]);
    expect(await of(generate('--label', 'warm', '--url', 'localhost:4000'))).toEqual([
      1,
      expect.stringMatching(/^--url must start with http/),
    ]);
    expect(await of(generate('--label', 'warm', '--url', `${api.url}/images`))).toEqual([
      1,
      expect.stringMatching(/is no artgan server/),
    ]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('say how to start a server where none answers, and what they can do', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    for (const program of [train(...tiny(4), '--url', url), generate('--label', 'warm', '--url', url)]) {
      expect(await program.ended).toBe(1);
      expect(program.output).toContain(`No artgan server answers at ${url}. Start it with npm start`);
    }
    for (const help of [train('--help'), generate('-h')]) {
      expect(await help.ended).toBe(0);
      expect(help.output).toMatch(/npm run (train|generate) -- [\s\S]*--url/);
    }
  });

  it('say what to run where the packages are not installed, before anything is started', async () => {
    for (const part of ['scripts', 'schema']) await cp(join(ROOT, part), join(folder, part), { recursive: true });
    const { totalCount } = (await api.run('training-runs')).trainingRuns;
    for (const [name, args] of [
      ['train', tiny(4)],
      ['generate', ['--label', 'warm']],
    ] as const) {
      const program = new Program(join(folder, 'scripts', `${name}.mjs`), [...args, '--url', api.url]);
      expect([await program.ended, program.output]).toEqual([
        1,
        expect.stringMatching(/run npm start \(or npm run setup\) first/),
      ]);
    }
    expect((await api.run('training-runs')).trainingRuns.totalCount).toBe(totalCount);
  });
});

describe('npm run train', () => {
  it('goes on where it was when the server has been restarted', async () => {
    await using database = await testDatabase();
    const { dataDir, databaseUrl } = database.options;
    const collections = join(dataDir, 'collections');
    await writeColours(join(collections, 'colours'), 12);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const settings = { PORT: String(port), DATA_DIR: dataDir, DATABASE_URL: databaseUrl, DATASET_ROOTS: collections };
    const start = () => new Program(join(ROOT, 'dist', 'main.js'), [], { ...settings, STARTER: 'off', DEVICE: 'cpu' });

    const before = start();
    await before.says(/^artgan is ready at/m);
    const query = 'mutation { importDataset(input: { name: "Colours", path: "colours" }) { userErrors { message } } }';
    await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const training = train(...tiny(100, { sampleEvery: 100, checkpointEvery: 100 }), '--url', url);
    await training.says(/step 5\/100/);
    before.child.kill('SIGTERM');
    await training.says(/The connection is lost/);
    await before.ended;

    const after = start();
    expect([await training.ended, training.output.match(/^completed$/m)?.[0]]).toEqual([0, 'completed']);
    // Nothing is told twice.
    expect(training.output.match(/^The connection is lost/gm)).toHaveLength(1);
    expect(training.output.match(/step 5\/100/g)).toHaveLength(1);
    after.child.kill('SIGTERM');
    await after.ended;
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
