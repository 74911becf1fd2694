/** The example page, built as its users build it, in a real browser in front of a real server with a bad connection. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Closers } from '../../src/core/closers.ts';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { openBrowser } from '../helpers/browser.ts';
import { FlakyProxy } from '../helpers/flaky-proxy.ts';
import { temporaryFolder } from '../helpers/scripted.ts';
import { serveFolder } from '../helpers/static-server.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { WrittenRun } from '../helpers/written-run.ts';
import { upTo } from './watching.ts';

const root = join(import.meta.dirname, '../..');
const EXAMPLE = join(root, 'examples/watch');
const VITE = join(root, 'node_modules/vite/bin/vite.js');
const transports = ['websocket', 'sse', 'multipart'];

const parts = new Closers();
let api: TestApi;
let proxy: FlakyProxy;
let site: string;

beforeAll(async () => {
  const folder = parts.use(await temporaryFolder());
  const outDir = join(folder.path, 'site');
  // As a program of its own: the tests' NODE_ENV would make it a build for development.
  const { NODE_ENV: _, ...env } = process.env;
  await promisify(execFile)(process.execPath, [VITE, 'build', EXAMPLE, '--outDir', outDir], { env });
  site = parts.use(await serveFolder(outDir)).url;
  api = parts.use(await startTestApi());
  proxy = parts.use(await FlakyProxy.start(api.url));
  await api.importColours();
  await api.train();
});

afterAll(() => parts[Symbol.asyncDispose]());

interface Visited extends AsyncDisposable {
  readonly page: Page;
  /** Errors that the page itself has thrown. */
  readonly faults: readonly string[];
}

async function visit(transport: string): Promise<Visited> {
  const browser = await openBrowser();
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(`${site}/?server=${encodeURIComponent(proxy.url)}&transport=${transport}`);
  return { page, faults, [Symbol.asyncDispose]: () => browser.close() };
}

/** What is evaluated in the page is a text: its types are not those of the tests. */
const seqsOn = (page: Page) =>
  page.evaluate<number[]>("Array.from(document.querySelectorAll('#events li'), (item) => item.value)");
const stateOn = (page: Page) => page.locator('#connection').getAttribute('data-state');
/** Of each picture in a list whether it has been loaded and decoded. */
const loadedIn = (page: Page, list: string) =>
  page.evaluate<boolean[]>(
    `Array.from(document.querySelectorAll('${list} img'), (image) => image.complete && image.naturalWidth > 0)`,
  );

describe('the example page', () => {
  it('paints for a label, and keeps what is liked', async () => {
    await using visited = await visit('websocket');
    const { page } = visited;
    await page.locator('#paint-form option').first().waitFor({ state: 'attached' });
    await page.getByLabel('Label').selectOption('warm');
    await page.getByLabel('Pictures').fill('3');
    await page.getByRole('button', { name: 'Paint' }).click();
    await waitFor(async () => (await loadedIn(page, '#pictures')).join() === 'true,true,true');
    await page.getByRole('button', { name: 'Keep' }).first().click();
    // The gallery is told by the server, as every other page would be.
    await waitFor(async () => (await loadedIn(page, '#gallery')).join() === 'true');
    expect(await page.locator('#problem').textContent()).toBe('');
    expect(visited.faults).toEqual([]);
  });

  it('turns the pages of the gallery', async () => {
    const { generate } = await api.run('generate', { label: 'cool', n: 30, seed: 100 });
    await api.run('keep-images', { images: generate.map(({ id }: { id: string }) => id) });
    await using visited = await visit('websocket');
    const { page } = visited;
    const counts: number[] = [];
    const older = page.locator('#older');
    await page.locator('#gallery li').first().waitFor();
    while (await older.isVisible()) {
      const before = await page.locator('#gallery li').count();
      counts.push(before);
      await older.click();
      await waitFor(async () => (await page.locator('#gallery li').count()) > before);
    }
    const { generatedImages } = await api.data('{ generatedImages { totalCount } }');
    expect(counts).toEqual([12, 24]);
    expect(await page.locator('#gallery li').count()).toBe(generatedImages.totalCount);
    expect(visited.faults).toEqual([]);
  });

  it('starts a run, and shows its losses and its samples', async () => {
    await using visited = await visit('websocket');
    const { page } = visited;
    await page.locator('#start-form option[value=colours]').waitFor({ state: 'attached' });
    await page.getByLabel('Steps').fill('6');
    await page.getByLabel('Pixels').selectOption('32');
    await page.getByRole('button', { name: 'Start a run' }).click();
    await waitFor(async () => (await stateOn(page)) === 'over', 60_000);
    expect(await page.locator('#status').textContent()).toBe('COMPLETED, step 6 of 6');
    const seqs = await seqsOn(page);
    expect(seqs).toEqual(upTo(seqs.length));
    expect(await page.locator('#losses').getAttribute('aria-label')).toMatch(/at 6, D \d/);
    await waitFor(async () => (await loadedIn(page, '#samples')).every(Boolean));
    expect(await page.locator('#samples img').count()).toBe(6);
    expect(visited.faults).toEqual([]);
  });

  it.each(transports)('sees every event of a run once over %s, though it is cut off', async (transport) => {
    const run = await WrittenRun.begin(api.app.store.db);
    await using visited = await visit(transport);
    const { page } = visited;
    await page.locator(`#watch-form option[value="${run.id}"]`).waitFor({ state: 'attached' });
    await page.locator('#watch-form select').selectOption(run.id);
    await page.getByRole('button', { name: 'Watch' }).click();
    await waitFor(async () => (await seqsOn(page)).length === 2);
    for (const count of upTo(3)) {
      await run.write(10);
      proxy.setDown(true);
      await waitFor(async () => (await stateOn(page)) === 'waiting');
      expect(await page.locator('#connection').textContent()).toContain('The connection is lost');
      await run.write(10);
      proxy.setDown(false);
      await waitFor(async () => (await seqsOn(page)).length === 2 + 20 * count, 30_000);
      expect(await stateOn(page)).toBe('live');
    }
    await run.finish();
    await waitFor(async () => (await stateOn(page)) === 'over');
    expect(await seqsOn(page)).toEqual(upTo(63));
    expect(visited.faults).toEqual([]);
  });
});
