// npm run setup: brings everything into place that the project needs to run, and nothing more.
import './lib/node-version.mjs';

const { runScript, say } = await import('./lib/log.mjs');
const { setUp } = await import('./lib/setup.mjs');

await runScript(async () => {
  await setUp();
  say('Everything is in place.');
});
