// npm run check: types, lint and format, all of them even if one finds something.
import './lib/node-version.mjs';

const { join } = await import('node:path');
const { run } = await import('./lib/command.mjs');
const { runScript, say } = await import('./lib/log.mjs');
const { modules, root } = await import('./lib/paths.mjs');
const { setUp } = await import('./lib/setup.mjs');

const CHECKS = [
  { name: 'types', args: [join('typescript', 'bin', 'tsc'), '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'types of the client', args: [join('typescript', 'bin', 'tsc'), '--noEmit', '-p', 'client'] },
  { name: 'types of the example', args: [join('typescript', 'bin', 'tsc'), '-p', join('examples', 'watch')] },
  { name: 'types of the scripts', args: [join('typescript', 'bin', 'tsc'), '-p', join('scripts', 'tsconfig.json')] },
  { name: 'lint and format', args: [join('@biomejs', 'biome', 'bin', 'biome'), 'ci', '.'] },
];

await runScript(async () => {
  await setUp();
  let failed = 0;
  for (const { name, args } of CHECKS) {
    const [tool = '', ...rest] = args;
    const { code } = await run(process.execPath, [join(modules, tool), ...rest], { cwd: root, output: 'inherit' });
    say(`${name}: ${code === 0 ? 'ok' : 'FAILED'}`);
    if (code !== 0) failed++;
  }
  return failed === 0 ? 0 : 1;
});
