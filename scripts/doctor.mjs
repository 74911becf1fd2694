// npm run doctor: what this machine has, what is set up, and what to do about each thing that is wrong. Changes
// nothing, and works before the first set-up too. Ends with 1 if something essential is wrong.
import './lib/node-version.mjs';

const { runScript } = await import('./lib/log.mjs');
const { examine } = await import('./lib/doctor.mjs');

/** What a finding looks like at the start of its line. */
const MARKS = { ok: 'ok  ', note: 'note', wrong: 'BAD ' };

await runScript(async () => {
  let wrong = 0;
  for await (const { state, name, found, cure } of examine()) {
    console.log(`${MARKS[state]}  ${name.padEnd(11)} ${found.replaceAll('\n', `\n${' '.repeat(18)}`)}`);
    if (cure) console.log(`${' '.repeat(18)}→ ${cure}`);
    if (state === 'wrong') wrong++;
  }
  console.log(wrong === 0 ? '\nNothing essential is wrong.' : `\nEssential and wrong: ${wrong}.`);
  return wrong === 0 ? 0 : 1;
});
