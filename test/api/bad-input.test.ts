/** Mistakes of users: each has a code of its own and its place, and nothing is written. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { countRows } from '../../src/store/page.ts';
import { runList } from '../../src/store/runs.ts';
import { operation, startTestApi, type TestApi, tinyRun } from '../helpers/api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  await api.train();
});

afterAll(() => api?.[Symbol.asyncDispose]());

describe('startTraining', () => {
  it.each([
    ['no steps', { steps: 0 }, 'INVALID_INPUT', ['input', 'steps']],
    ['steps below zero', { steps: -1 }, 'INVALID_INPUT', ['input', 'steps']],
    ['a resolution that no network has', { resolution: 48 }, 'INVALID_INPUT', ['input', 'resolution']],
    ['a resolution that the dataset lacks', { resolution: 256 }, 'INVALID_INPUT', ['input', 'resolution']],
    ['an unknown preset', { preset: 'stdio' }, 'UNKNOWN_PRESET', ['input', 'preset']],
    ['an unknown dataset', { dataset: 'colors' }, 'UNKNOWN_DATASET', ['input', 'dataset']],
    ['a batch of nothing', { batchSize: 0 }, 'INVALID_INPUT', undefined],
    ['a field that config lacks', { config: { stepz: 3 } }, 'INVALID_INPUT', undefined],
    ['a config that is a list', { config: [1] }, 'INVALID_INPUT', undefined],
    ['a config out of bounds', { config: { labelDropout: 7 } }, 'INVALID_INPUT', undefined],
  ])('refuses %s', async (_what, change, code, path) => {
    const { startTraining } = await api.run('start-training', { input: { ...tinyRun, ...change } });
    expect(startTraining).toMatchObject({ run: null, userErrors: [{ code, ...(path && { path }) }] });
    expect(await countRows(api.app.store.db, runList())).toBe(1);
  });

  it.each([{ resolution: 48.5 }, { steps: 1e12 }, { seed: -1 }, { seed: 2 ** 53 }, { steps: null }])(
    'does not take %j for what it is',
    async (change) => {
      const { status, errors } = await api.ask(operation('start-training'), { input: { ...tinyRun, ...change } });
      expect(status).toBe(400);
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      expect(await countRows(api.app.store.db, runList())).toBe(1);
    },
  );
});

describe('generate', () => {
  it.each([
    ['an unknown label', 'label: "Wram"', 'UNKNOWN_LABEL', ['label']],
    ['an unknown artist', 'conditions: { artist: "nobody" }', 'UNKNOWN_LABEL', ['conditions', 'artist']],
    ['a label and conditions', 'label: "Warm", conditions: { style: "warm" }', 'INVALID_INPUT', ['label']],
    ['no pictures', 'label: "Warm", n: 0', 'INVALID_INPUT', ['n']],
    ['too many pictures', 'label: "Warm", n: 10000', 'INVALID_INPUT', ['n']],
    ['too much truncation', 'label: "Warm", truncation: 1.5', 'INVALID_INPUT', ['truncation']],
    ['an unknown model', 'label: "Warm", model: "TW9kZWw6eA"', 'UNKNOWN_MODEL', ['model']],
  ])('refuses %s', async (_what, args, code, path) => {
    const { data, errors } = await api.ask(`{ generate(${args}) { id } }`);
    expect(data).toBeNull();
    expect(errors).toMatchObject([{ path: ['generate'], extensions: { code, path, retryable: false } }]);
  });

  it('says what may have been meant', async () => {
    const { errors } = await api.ask('{ generate(label: "Wram") { id } }');
    expect(errors[0]?.extensions['suggestions']).toContain('Warm');
    expect(errors[0]?.message).toContain('Did you mean');
  });

  it('takes no seed but a seed', async () => {
    for (const seed of ['-1', '1.5', '9007199254740992', '"x"']) {
      const { errors } = await api.ask(`{ generate(label: "Warm", seed: ${seed}) { id } }`);
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    }
  });
});

describe('importDataset', () => {
  it.each([
    ['a path outside of the roots', { name: 'Out', path: '/etc' }, 'PATH_NOT_ALLOWED'],
    ['a way out of the roots', { name: 'Out', path: '../..' }, 'PATH_NOT_ALLOWED'],
    ['a name without a letter', { name: '--', path: 'Colours' }, 'INVALID_INPUT'],
    ['a folder that is not there', { name: 'Gone', path: 'gone' }, expect.any(String)],
    ['the name of another folder', { name: 'Colours', path: '.' }, 'CONFLICT'],
  ])('refuses %s', async (_what, variables, code) => {
    const { importDataset } = await api.run('import-dataset', variables);
    expect(importDataset).toMatchObject({ dataset: null, userErrors: [{ code, message: expect.any(String) }] });
    expect((await api.run('datasets')).datasets.nodes).toHaveLength(1);
  });
});

describe('ids that lead nowhere', () => {
  const foreign = encodeGlobalId('TrainingRun', 'nothing');

  it('are null for queries', async () => {
    const query = `query ($id: ID!) { node(id: $id) { id } trainingRun(id: $id) { id } dataset(slug: $slug) { id } }`;
    for (const id of [foreign, 'x', '', encodeGlobalId('Query', '1'), encodeGlobalId('Artist', '\u0000')]) {
      const { data, errors } = await api.ask(query.replace('$slug', '"nothing"'), { id });
      expect([errors, data]).toEqual([[], { node: null, trainingRun: null, dataset: null }]);
    }
  });

  it('may not hold what no database can', async () => {
    const { errors } = await api.ask('query ($id: ID!) { trainingRun(id: $id) { id } }', { id: '\u0000' });
    expect(errors).toMatchObject([{ path: ['trainingRun'], extensions: { code: 'INVALID_INPUT', path: ['id'] } }]);
  });

  it('are userErrors for mutations', async () => {
    for (const verb of ['pause', 'resume', 'cancel']) {
      const answer = await api.run(`${verb}-training`, { run: foreign });
      expect(answer[`${verb}Training`]).toMatchObject({ run: null, userErrors: [{ code: 'NOT_FOUND' }] });
    }
    const { setDefaultModel } = await api.run('set-default-model', { model: foreign });
    expect(setDefaultModel).toMatchObject({ model: null, userErrors: [{ code: 'UNKNOWN_MODEL' }] });
  });

  it('end a subscription with an error', async () => {
    const [only, ...more] = await api.stream(operation('training-progress'), { run: foreign, after: 0 });
    expect(only.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    expect(more).toEqual([]);
    const [early] = await api.stream(operation('training-progress'), { run: foreign, after: -1 });
    expect(early.errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', path: ['after'] } }]);
  });
});
