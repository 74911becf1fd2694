// npm test [-- arguments of vitest]: sets up, runs the tests, and says at the very end how many there were.
import './lib/node-version.mjs';

const { join } = await import('node:path');
const { rmSync } = await import('node:fs');
const { run } = await import('./lib/command.mjs');
const { readJson } = await import('./lib/files.mjs');
const { runScript, say } = await import('./lib/log.mjs');
const { modules, root, work } = await import('./lib/paths.mjs');
const { setUp } = await import('./lib/setup.mjs');
const { countTests } = await import('./lib/test-count.mjs');

await runScript(async () => {
  await setUp();
  const report = join(work, `tests-${process.pid}.json`);
  const vitest = join(modules, 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  try {
    const { code } = await run(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
      cwd: root,
      output: 'inherit',
    });
    const { passed, failed, skipped } = countTests(readJson(report), code);
    if (passed + failed === 0) say('No test ran.');
    // Through stdout's own queue, after everything that vitest wrote.
    process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    return failed > 0 || passed === 0 ? code || 1 : code;
  } finally {
    rmSync(report, { force: true });
  }
});
