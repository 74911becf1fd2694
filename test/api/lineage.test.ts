/** Where pictures come from, and that what they come from is not deleted by accident. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../helpers/api.ts';

let api: TestApi;
let run: string;
/** The run's, which is the default. */
let model: string;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours();
  run = await api.train();
  model = (await api.run('training-run', { id: run })).trainingRun.model.id;
});
afterAll(() => api?.[Symbol.asyncDispose]());

const remove = async (id: string, evenIfUsed = false) =>
  (await api.run('delete-model', { model: id, evenIfUsed })).deleteModel;

/** A model of the run's first checkpoint. */
async function another(name: string): Promise<string> {
  const { trainingRun } = await api.data(
    'query ($id: ID!) { trainingRun(id: $id) { checkpoints { id step isKept } } }',
    { id: run },
  );
  const { id: checkpoint } = trainingRun.checkpoints[0];
  const { createModel } = await api.run('create-model', { checkpoint, name });
  expect(createModel.userErrors).toEqual([]);
  return createModel.model.id;
}

describe('the lineage of a picture', () => {
  it('leads in one query from the picture to the hash of what was learned from', async () => {
    const { generate } = await api.run('generate', { label: 'warm', n: 1, seed: 1 });
    const { node } = await api.run('lineage', { id: generate[0].id });
    const { dataset } = await api.data('{ dataset(slug: "colours") { sha256 } }');
    expect(dataset.sha256).toMatch(/^[0-9a-f]{64}$/);
    const { provenance, checkpoint } = node.model;
    expect(provenance).toEqual({
      preset: 'studio',
      step: 4,
      datasetSha256: dataset.sha256,
      checkpointSha256: checkpoint.sha256,
    });
    expect(checkpoint).toMatchObject({
      step: 4,
      isKept: true,
      run: { seed: 7, datasetSha256: dataset.sha256, dataset: { slug: 'colours', sha256: dataset.sha256 } },
    });
    const { trainingRun } = await api.data(
      'query ($id: ID!) { trainingRun(id: $id) { checkpoints { step model { id hasDiscriminator imageCount } } } }',
      { id: run },
    );
    expect(trainingRun.checkpoints.at(-1)).toEqual({
      step: 4,
      model: { id: model, hasDiscriminator: true, imageCount: 0 },
    });
  });
});

describe('deleteModel', () => {
  it('refuses the default, and what it does not know', async () => {
    expect(await remove(model)).toMatchObject({
      model: null,
      userErrors: [{ code: 'MODEL_IN_USE', message: expect.stringMatching(/default/) }],
    });
    expect(await remove(model, true)).toMatchObject({ model: null, userErrors: [{ code: 'MODEL_IN_USE' }] });
    expect(await remove('none')).toMatchObject({ userErrors: [{ code: 'UNKNOWN_MODEL', path: ['input', 'model'] }] });
  });

  it('refuses one with kept pictures unless told, and these can still be seen', async () => {
    const id = await another('Kept');
    const { generate } = await api.run('generate', { label: 'warm', n: 2, seed: 5, model: id });
    const [kept, unkept] = generate;
    await api.run('keep-images', { images: [kept.id] });
    const refused = await remove(id);
    expect(refused.userErrors[0]).toMatchObject({
      code: 'MODEL_IN_USE',
      message: expect.stringMatching(/1 pictures of it were kept/),
    });
    const before = await readdir(join(api.dataDir, 'models'));
    const { model: deleted, userErrors } = await remove(id, true);
    expect(userErrors).toEqual([]);
    expect(deleted).toMatchObject({ id, deletedAt: expect.stringMatching(/Z$/) });
    expect((await readdir(join(api.dataDir, 'models'))).length).toBe(before.length - 1);

    const { node } = await api.run('lineage', { id: kept.id });
    expect(node).toMatchObject({ sha256: kept.sha256, model: { name: 'Kept', deletedAt: deleted.deletedAt } });
    expect(node.model.checkpoint.run.datasetSha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await fetch(kept.url)).status).toBe(200);
    expect((await api.run('image', { id: unkept.id })).node).toBeNull();
    const { errors } = await api.ask('query ($model: ID!) { generate(label: "warm", n: 1, model: $model) { id } }', {
      model: id,
    });
    expect(errors[0]).toMatchObject({
      message: expect.stringMatching(/was deleted/),
      extensions: { code: 'UNKNOWN_MODEL' },
    });
    expect((await api.run('models')).models.nodes.map((one: { id: string }) => one.id)).not.toContain(id);
    expect((await api.run('set-default-model', { model: id })).setDefaultModel.userErrors).toMatchObject([
      { code: 'UNKNOWN_MODEL' },
    ]);
  });

  it('refuses one with a job that is not over', async () => {
    const id = await another('Busy');
    const { createGeneration } = await api.run('create-generation', {
      input: { label: 'warm', n: 100_000, model: id },
    });
    expect((await remove(id, true)).userErrors[0]).toMatchObject({
      code: 'MODEL_IN_USE',
      message: expect.stringMatching(/1 jobs/),
    });
    await api.run('cancel-generation', { generation: createGeneration.generation.id });
    expect((await remove(id)).userErrors[0]).toMatchObject({ code: 'MODEL_IN_USE' });
    expect((await remove(id, true)).userErrors).toEqual([]);
  });

  it('and setDefaultModel at once leave a default that is there', async () => {
    for (let i = 0; i < 5; i++) {
      const id = await another(`Race ${i}`);
      const [deleted, chosen] = await Promise.all([remove(id), api.run('set-default-model', { model: id })]);
      const isChosen = chosen.setDefaultModel.userErrors.length === 0;
      expect(deleted.userErrors.length).toBe(isChosen ? 1 : 0);
      const painted = await api.ask('{ generate(label: "warm", n: 1) { id } }');
      expect(painted.errors).toEqual([]);
      await api.run('set-default-model', { model });
    }
  });

  it('while others paint with it ends their requests in a picture or in a refusal', async () => {
    const id = await another('Painting');
    const query =
      'query ($seed: Seed!, $model: ID!) { generate(label: "warm", n: 4, seed: $seed, model: $model) { id sha256 } }';
    const asking = Array.from({ length: 12 }, (_, i) => api.ask(query, { seed: 1_000 + i * 4, model: id }));
    const [{ userErrors }, ...answers] = await Promise.all([remove(id), ...asking]);
    expect(userErrors).toEqual([]);
    for (const { data, errors } of answers) {
      if (errors.length === 0) expect(data.generate).toHaveLength(4);
      else expect(['UNKNOWN_MODEL', 'NOT_FOUND', 'DAMAGED_FILE']).toContain(errors[0]?.extensions.code);
    }
  });
});
