import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { BadPicture } from '../../src/datasets/entry.ts';
import { openInside } from '../../src/datasets/read-inside.ts';
import { allowFolder, isWithin, scanFolder } from '../../src/datasets/scan.ts';
import { put, temporaryFolder } from './fixtures.ts';

const codeOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof AppError || error instanceof BadPicture ? error.code : error;
};

describe('allowFolder', () => {
  it('takes folders in a root, absolute or relative to it', async () => {
    await using root = await temporaryFolder();
    await mkdir(join(root.path, 'a/b'), { recursive: true });
    expect((await allowFolder(join(root.path, 'a/b'), [root.path])).path).toBe(join(root.path, 'a/b'));
    expect((await allowFolder('a/../a/b', ['/nowhere', root.path])).path).toBe(join(root.path, 'a/b'));
    expect((await allowFolder(root.path, [root.path])).path).toBe(root.path);
  });

  it('refuses every way out of the roots, and does not tell what is there', async () => {
    await using root = await temporaryFolder();
    await using other = await temporaryFolder();
    await symlink(other.path, join(root.path, 'out'));
    for (const path of [
      '..',
      '../..',
      '/etc',
      '/no/such/folder',
      `${root.path}/../x`,
      `${root.path}-2`,
      'out',
      join(root.path, 'out'),
      other.path,
    ]) {
      const refusal = allowFolder(path, [root.path]);
      await expect(refusal, path).rejects.toMatchObject({ code: 'PATH_NOT_ALLOWED', path: ['input', 'path'] });
      await expect(refusal, path).rejects.toThrow(root.path);
    }
    expect(await codeOf(allowFolder('/etc', []))).toBe('PATH_NOT_ALLOWED');
  });

  it('says what is wrong with a path inside', async () => {
    await using root = await temporaryFolder();
    await put(root.path, 'file', 'x');
    expect(await codeOf(allowFolder('missing', [root.path]))).toBe('UNREADABLE_DATASET');
    expect(await codeOf(allowFolder('file', [root.path]))).toBe('UNREADABLE_DATASET');
    expect(await codeOf(allowFolder(' ', [root.path]))).toBe('INVALID_INPUT');
    expect(await codeOf(allowFolder('a\0b', [root.path]))).toBe('INVALID_INPUT');
  });

  it('compares whole folder names', () => {
    expect(isWithin('/a/b', '/a/b/c')).toBe(true);
    expect(isWithin('/a/b', '/a/b')).toBe(true);
    expect(isWithin('/a/b', '/a/bc')).toBe(false);
    expect(isWithin('/a/b', '/a')).toBe(false);
    expect(isWithin('/a/b', '/a/b/..c')).toBe(true);
  });
});

describe('scanFolder', () => {
  it('lists files by path, without what systems leave behind', async () => {
    await using root = await temporaryFolder();
    const names = [
      'b/2.jpg',
      'b/10.jpg',
      'B/1.jpg',
      'a.jpg',
      'Ä.jpg',
      '..jpg/x',
      '.hidden/x.jpg',
      '.DS_Store',
      'b/Thumbs.db',
      '__MACOSX/x.jpg',
      'a b\n.jpg',
    ];
    for (const name of names) await put(root.path, name, 'x');
    const scan = await scanFolder(await allowFolder(root.path, [root.path]));
    expect(scan).toEqual({ files: ['B/1.jpg', 'a b\n.jpg', 'a.jpg', 'b/10.jpg', 'b/2.jpg', 'Ä.jpg'], issues: [] });
  });

  it('follows links inside the roots once, and tells of the others', async () => {
    await using root = await temporaryFolder();
    await using other = await temporaryFolder();
    await put(root.path, 'c/a.jpg', 'x');
    await put(root.path, 'more/b.jpg', 'x');
    await put(other.path, 'secret.jpg', 'x');
    const link = (target: string, name: string) => symlink(target, join(root.path, 'c', name));
    await link('a.jpg', 'same.jpg');
    await link('../more', 'more');
    await link('../more', 'more-again');
    await link('..', 'loop');
    await link(other.path, 'out');
    await link(join(other.path, 'secret.jpg'), 'secret.jpg');
    await link('nothing', 'dead.jpg');
    await link('/dev/zero', 'zero.jpg');
    const scan = await scanFolder(await allowFolder('c', [root.path]));
    expect(scan.files).toEqual(['a.jpg', 'more/b.jpg', 'same.jpg']);
    expect(scan.issues.map(({ file, code }) => [file, code])).toEqual([
      ['dead.jpg', 'MISSING'],
      ['loop', 'OUTSIDE_ROOT'],
      ['out', 'OUTSIDE_ROOT'],
      ['secret.jpg', 'OUTSIDE_ROOT'],
      ['zero.jpg', 'OUTSIDE_ROOT'],
    ]);
  });

  it('does not touch pipes', async () => {
    await using root = await temporaryFolder();
    execFileSync('mkfifo', [join(root.path, 'pipe.jpg')]);
    const folder = await allowFolder(root.path, [root.path]);
    expect((await scanFolder(folder)).issues).toMatchObject([{ file: 'pipe.jpg', code: 'NOT_A_FILE' }]);
    expect(await codeOf(openInside(folder, 'pipe.jpg'))).toBe('NOT_A_FILE');
  });

  it('stops when it is told to, and does not go deeper than a bound', async () => {
    await using root = await temporaryFolder();
    const deep = Array.from({ length: 20 }, (_, i) => `d${i}`).join('/');
    await put(root.path, `${deep}/a.jpg`, 'x');
    const folder = await allowFolder(root.path, [root.path]);
    expect((await scanFolder(folder)).issues).toMatchObject([{ code: 'TOO_MANY' }]);
    await expect(scanFolder(folder, AbortSignal.abort())).rejects.toThrow(/abort/i);
  });
});

describe('openInside', () => {
  it('refuses a file that was replaced by a link out of the roots after the walk', async () => {
    await using root = await temporaryFolder();
    await using other = await temporaryFolder();
    await put(other.path, 'secret.jpg', 'secret');
    const folder = await allowFolder(root.path, [root.path]);
    await symlink(join(other.path, 'secret.jpg'), join(root.path, 'a.jpg'));
    await symlink(other.path, join(root.path, 'folder'));
    expect(await codeOf(openInside(folder, 'a.jpg'))).toBe('OUTSIDE_ROOT');
    expect(await codeOf(openInside(folder, 'folder/secret.jpg'))).toBe('OUTSIDE_ROOT');
    expect(await codeOf(openInside(folder, '../x'))).toMatch(/OUTSIDE_ROOT|MISSING/);
    expect(await codeOf(openInside(folder, 'missing.jpg'))).toBe('MISSING');
  });

  it('reads what was asked for, and tells where a file became shorter', async () => {
    await using root = await temporaryFolder();
    await writeFile(join(root.path, 'a'), 'abcdef');
    await using file = await openInside(await allowFolder(root.path, [root.path]), 'a');
    expect((await file.read(2, 3)).toString()).toBe('cde');
    expect(await codeOf(file.read(2, 30))).toBe('TRUNCATED');
  });
});
