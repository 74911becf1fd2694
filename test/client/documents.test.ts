/** The client as a package: its documents say what the schema says, and what is built of it runs by itself. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import * as documents from '../../client/src/documents.ts';
import { temporaryFolder } from '../helpers/scripted.ts';

const root = join(import.meta.dirname, '../..');
const node = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd: root });
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('the typed documents', () => {
  it('are what the schema and the operations say', async () => {
    await node('scripts/client-documents.mjs', '--check');
  });

  it('hold every operation that is shown to users', () => {
    const names = readdirSync(join(root, 'schema/operations')).map((file) => {
      const [definition] = parse(read(`schema/operations/${file}`)).definitions;
      return definition?.kind === 'OperationDefinition' ? `${definition.name?.value}Document` : file;
    });
    expect(Object.keys(documents)).toEqual(expect.arrayContaining(names));
  });

  it('have a type for everything', () => {
    expect(read('client/src/documents.ts')).not.toMatch(/\bany\b/);
  });
});

describe('the package', () => {
  it('is built with every file that it offers, and runs in plain Node', async () => {
    await using folder = await temporaryFolder();
    await symlink(join(root, 'node_modules'), join(folder.path, 'node_modules'));
    await node('node_modules/typescript/bin/tsc', '-p', 'client', '--outDir', join(folder.path, 'dist'));
    const { exports } = JSON.parse(read('client/package.json')) as {
      exports: Record<string, { types: string; default: string }>;
    };
    const offered = Object.values(exports).flatMap((one) => [one.types, one.default]);
    expect(offered.length).toBeGreaterThan(5);
    expect(offered.filter((file) => !existsSync(join(folder.path, file)))).toEqual([]);
    const main = pathToFileURL(join(folder.path, exports['.']?.default ?? '')).href;
    const script = `
      import { createArtganClient } from ${JSON.stringify(main)};
      const { link } = createArtganClient({ url: 'http://127.0.0.1:1/graphql', transport: 'multipart' });
      console.log(typeof link.request);`;
    const { stdout } = await node('--input-type=module', '--eval', script);
    expect(stdout.trim()).toBe('function');
  });
});
