/** The explorer in a real browser: it works without any other host, and is absent where it should be. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../helpers/api.ts';
import { openBrowser } from '../helpers/browser.ts';
import { waitFor } from '../helpers/wait-for.ts';

let api: TestApi;
let run: string;
let browser: Browser;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours(4);
  run = await api.train();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await api?.[Symbol.asyncDispose]();
});

interface Visited {
  readonly page: Page;
  /** All that the page has asked for, wherever. */
  readonly requests: string[];
  readonly complaints: string[];
  readonly answers: { readonly status: number; readonly text: string }[];
}

async function visit(url: string): Promise<Visited> {
  const page = await browser.newPage();
  const visited: Visited = { page, requests: [], complaints: [], answers: [] };
  page.on('request', (request) => visited.requests.push(request.url()));
  page.on('pageerror', (error) => visited.complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') visited.complaints.push(message.text());
  });
  page.on('response', async (response) => {
    if (!response.url().endsWith('/graphql')) return;
    visited.answers.push({ status: response.status(), text: await response.text().catch(() => '') });
  });
  await page.goto(url);
  await page.waitForSelector('.graphiql-execute-button');
  return visited;
}

/** What is looked at inside the page. */
interface PageWorld {
  readonly document: {
    querySelector(selector: string): {
      readonly textContent: string | null;
      readonly CodeMirror?: { setValue(value: string): void };
    } | null;
  };
}

/** Runs inside the page: what a visitor types. */
function write(text: string): boolean {
  const { document } = globalThis as unknown as PageWorld;
  const editor = document.querySelector('.graphiql-query-editor .CodeMirror')?.CodeMirror;
  editor?.setValue(text);
  return editor !== undefined;
}

/** Runs inside the page. */
function shows({ place, text }: { readonly place: string; readonly text: string }): boolean {
  const { document } = globalThis as unknown as PageWorld;
  return document.querySelector(place)?.textContent?.includes(text) === true;
}

/** Types a query and runs it until its answer is there: GraphiQL reads what was typed a moment later. */
async function ask({ page }: Visited, query: string, text: string): Promise<void> {
  await page.waitForFunction(write, query);
  await waitFor(async () => {
    await page.click('.graphiql-execute-button');
    const shown = page.waitForFunction(shows, { place: '.result-window', text }, { timeout: 3_000 });
    return shown.then(
      () => true,
      () => false,
    );
  }, 45_000);
}

describe('the explorer', () => {
  it('knows the schema, and asks nobody but this server', async () => {
    const visited = await visit(`${api.url}/explore`);
    await ask(visited, '{ style(slug: "warm") { name artworkCount } }', '"artworkCount": 2');
    await visited.page.click('[aria-label="Show Documentation Explorer"]');
    await visited.page.waitForFunction(shows, { place: '.graphiql-doc-explorer', text: 'GeneratedImageConnection' });
    const [introspection] = visited.answers;
    expect(introspection?.status).toBe(200);
    expect(JSON.parse(introspection?.text ?? '{}')).toMatchObject({
      data: { __schema: { queryType: { name: 'Query' } } },
    });
    expect(visited.complaints).toEqual([]);
    const elsewhere = visited.requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== api.url);
    expect([elsewhere, visited.requests.length > 5]).toEqual([[], true]);
  });

  it('watches subscriptions', async () => {
    const visited = await visit(`${api.url}/explore`);
    const events = '{ seq ... on TrainingStateChanged { status } }';
    await ask(visited, `subscription Watch { trainingProgress(run: "${run}") ${events} }`, '"COMPLETED"');
    expect(visited.complaints).toEqual([]);
  });

  it('is found with a slash at its end, too, and is told what it may load', async () => {
    const response = await fetch(`${api.url}/explore/`);
    expect([response.status, response.url]).toEqual([200, `${api.url}/explore`]);
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval|script-src[^;]*unsafe-inline/);
    expect(await response.text()).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it('is absent in production, unless it is asked for', async () => {
    for (const [settings, status] of [
      [{ NODE_ENV: 'production' }, 404],
      [{ NODE_ENV: 'production', EXPLORER: 'on' }, 200],
      [{ EXPLORER: 'off' }, 404],
    ] as const) {
      await using other = await startTestApi(settings);
      for (const path of ['/explore', '/explore/graphiql.js', '/explore/page.js'])
        expect([path, (await fetch(`${other.url}${path}`)).status]).toEqual([path, status]);
    }
  });
});
