import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/core/global-id.ts';
import { defaultModel, modelList, modelPage } from '../../src/store/models.ts';
import { countRows } from '../../src/store/page.ts';
import { openTestStore } from '../helpers/database.ts';
import { type Lab, openLab } from '../helpers/lab.ts';
import { waitFor } from '../helpers/wait-for.ts';

let store: Awaited<ReturnType<typeof openTestStore>>;
let lab: Lab;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store?.[Symbol.asyncDispose]());
beforeEach(async () => {
  lab = await openLab(store);
});
afterEach(async () => {
  await lab?.[Symbol.asyncDispose]();
});

async function finishedRun(name: string): Promise<void> {
  const before = await countRows(lab.store.db, modelList());
  await lab.start({ name, steps: 2 });
  await waitFor(async () => (await countRows(lab.store.db, modelList())) > before);
}

describe('the starter model', () => {
  it('is registered once and is the default', async () => {
    await lab.writeStarter();
    const first = await lab.models.registerStarter();
    expect(first).toMatchObject({ resolution: 32, runId: null });
    expect(first?.dir).toMatch(/^starter:[0-9a-f]{12}$/);
    expect((await lab.models.registerStarter())?.id).toBe(first?.id);
    expect((await defaultModel(lab.store.db))?.id).toBe(first?.id);
    expect(await readdir(lab.models.folderOf(first ?? { name: '', dir: '' }))).toContain('generator.safetensors');
    expect((await lab.models.resolve(undefined)).id).toBe(first?.id);
  });

  it('with other weights is another model, and the new default', async () => {
    await lab.writeStarter('one');
    const first = await lab.models.registerStarter();
    await lab.writeStarter('two');
    const second = await lab.models.registerStarter();
    expect(second?.id).not.toBe(first?.id);
    expect((await defaultModel(lab.store.db))?.id).toBe(second?.id);
    expect(await countRows(lab.store.db, modelList())).toBe(2);
  });

  it.each(['missing', 'damaged', 'no card'])('that is %s is no model, and the log says so', async (state) => {
    await lab.writeStarter();
    if (state === 'missing') await rm(lab.starterDir, { recursive: true });
    if (state === 'damaged') await writeFile(join(lab.starterDir, 'generator.safetensors'), 'other weights');
    if (state === 'no card') await writeFile(join(lab.starterDir, 'model.json'), '{');
    expect(await lab.models.registerStarter()).toBeUndefined();
    expect(lab.log.lines.some(({ level, message }) => level === 'warn' && message.includes('starter model'))).toBe(
      true,
    );
    await expect(lab.models.resolve(undefined)).rejects.toMatchObject({ code: 'NO_MODEL' });
  });
});

describe('the default model', () => {
  it('stays the starter when a run has finished: only setDefaultModel changes what a seed paints', async () => {
    await lab.writeStarter();
    const starter = await lab.models.registerStarter();
    await lab.drive();
    await finishedRun('first');
    expect((await defaultModel(lab.store.db))?.id).toBe(starter?.id);
  });

  it("is the first finished run's where there is no starter, and stays there", async () => {
    await lab.drive();
    await finishedRun('first');
    expect((await defaultModel(lab.store.db))?.name).toBe('first');
    await finishedRun('second');
    expect((await defaultModel(lab.store.db))?.name).toBe('first');
    await lab.writeStarter();
    await lab.models.registerStarter();
    expect((await defaultModel(lab.store.db))?.name).toBe('first');
  });

  it('is the one that was chosen', async () => {
    await lab.writeStarter();
    const starter = await lab.models.registerStarter();
    await lab.drive();
    await finishedRun('first');
    const { rows } = await modelPage(lab.store.db, { first: 10 });
    const first = rows.find(({ name }) => name === 'first');
    const chosen = await lab.models.setDefault(encodeGlobalId('Model', first?.id ?? ''));
    expect(chosen).toMatchObject({ id: first?.id, isDefault: true });
    expect((await defaultModel(lab.store.db))?.id).toBe(first?.id);
    await lab.models.setDefault(encodeGlobalId('Model', starter?.id ?? ''));
    expect((await defaultModel(lab.store.db))?.id).toBe(starter?.id);
    await expect(lab.models.setDefault('none')).rejects.toMatchObject({
      code: 'UNKNOWN_MODEL',
      path: ['input', 'model'],
    });
  });
});
