// npm start: sets up what is missing, builds what changed, and becomes the server.
import './lib/node-version.mjs';

const { join } = await import('node:path');
const { pathToFileURL } = await import('node:url');
const { forgetSignals } = await import('./lib/command.mjs');
const { runScript } = await import('./lib/log.mjs');
const { dist } = await import('./lib/paths.mjs');
const { loadSettings } = await import('./lib/settings.mjs');
const { setUp } = await import('./lib/setup.mjs');

const PARENT_CHECK_MS = 250;

/** npm tells its shell to end, and some shells do so without telling us: then we would serve on, unseen. */
function endWithParent() {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_CHECK_MS);
  timer.unref();
}

await runScript(async () => {
  if (process.env.npm_lifecycle_event) endWithParent();
  await setUp();
  // The server runs in this very process: signals, exit code, terminal and memory are its own, with nothing between.
  forgetSignals();
  loadSettings();
  process.argv[1] = join(dist, 'main.js');
  await import(pathToFileURL(process.argv[1]).href);
});
