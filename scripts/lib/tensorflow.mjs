// Provides TensorFlow by the best way that this machine allows: its C library out of the PyPI wheel; or else the older
// one that tfjs-node itself downloads; or else none, and plain JavaScript. Everything lies under .tensorflow/, whole or
// not at all; `ready.json`, written last, says what is in place.
import { existsSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { bindingFile, bindingKey, compile, isCompiled, isInPlace, putInPlace, tfjsNode } from './binding.mjs';
import { lastLines, run } from './command.mjs';
import { Failure, Stop } from './errors.mjs';
import { fetchWheel, wheelsFolder } from './fetch-wheels.mjs';
import { readJson, writeJson } from './files.mjs';
import { megabytes, say } from './log.mjs';
import { installCommand, inWords, nvidiaAnswers, tools, unfit } from './machine.mjs';
import { modules, root, work } from './paths.mjs';
import { setting } from './settings.mjs';
import { TENSORFLOW, WHEELS } from './wheels.mjs';

/**
 * @typedef {object} Ready
 * @property {'wheel' | 'official' | 'javascript'} kind  where the library is from
 * @property {string} [key]  the wheel's binding: another key means that it must be made again
 * @property {string} [version]
 * @property {boolean} [gpu]
 * @property {string} [reason]  why it is not the wheel
 * @property {readonly string[]} [missing]  the tools that were missing for the wheel
 * @property {boolean} [final]  nothing that could change by itself would make it better
 */

const readyFile = join(work, 'ready.json');
/** How much slower a training step is without TensorFlow; measured on two cores. */
const SLOWER = 'a hundred times slower or worse: for a look, not for training';
/** What is kept of the wheels: the libraries, the headers that the binding needs, NVIDIA's libraries and its assembler. */
const KEEP = [
  'tensorflow/libtensorflow_',
  'tensorflow/include/LICENSE',
  'tensorflow/include/absl/',
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/',
  'tensorflow/include/tsl/platform/',
  'tensorflow/include/xla/tsl/c/',
  'nvidia/',
];
/** Disk that the set-up needs while it lasts: wheels and what is unpacked from them. */
const DISK = { cpu: 1.5e9, gpu: 11e9 };

const wantedDevice = () => setting('DEVICE', 'auto');

/** The library for this machine, there or not; undefined where there is no wheel for it. */
async function libraryHere() {
  const gpu = process.arch === 'x64' && wantedDevice() !== 'cpu' && (await nvidiaAnswers());
  const name = `${process.arch}-${gpu ? 'gpu' : 'cpu'}`;
  const wheels = process.platform === 'linux' ? WHEELS[name] : undefined;
  return wheels && { gpu, wheels, folder: join(work, `${TENSORFLOW}-${name}`) };
}

/** @typedef {NonNullable<Awaited<ReturnType<typeof libraryHere>>>} Library */

/**
 * What is in place, if it still fits: cheap enough for every start.
 * @returns {Promise<Ready | undefined>}
 */
export async function tensorflowReady() {
  /** @type {Ready | undefined} */
  const ready = readJson(readyFile);
  if (!ready) return undefined;
  if (ready.kind === 'wheel') {
    const library = await libraryHere();
    const fits = library && ready.key && ready.key === bindingKey(library) && isInPlace(library, ready.key);
    return fits ? ready : undefined;
  }
  if (ready.kind === 'official' && !existsSync(bindingFile)) return undefined;
  if (ready.final) return ready;
  // A worse way: look again if what was missing is there now, or if it was not a matter of tools.
  const same = ready.missing?.length && (await tools()).missing.join() === ready.missing.join();
  return same ? ready : undefined;
}

/**
 * What there is to say about it, in one line where all is well.
 * @param {Ready} ready
 */
export function describeTensorflow(ready) {
  const what = `TensorFlow ${ready.version} on the ${ready.gpu ? 'GPU' : 'CPU'}`;
  if (ready.kind === 'wheel') return what;
  const command = ready.missing?.length ? installCommand(ready.missing) : undefined;
  const cure = command ? ` To have TensorFlow ${TENSORFLOW}: ${command}, then run this again.` : '';
  if (ready.kind === 'official') return `${what}, the older one that tfjs-node downloads: ${ready.reason}.${cure}`;
  const later = command || ready.final ? '' : ' The next start tries again.';
  return `!! NO TENSORFLOW: ${ready.reason}. Networks run in plain JavaScript, ${SLOWER}.${cure}${later}`;
}

/**
 * The caller holds the set-up lock.
 * @returns {Promise<Ready>}
 */
export async function provideTensorflow() {
  const done = await tensorflowReady();
  if (done) return done;
  const ready = await bestWay();
  if (ready.kind === 'javascript') rmSync(bindingFile, { force: true });
  writeJson(readyFile, ready);
  return ready;
}

/** @returns {Promise<Ready>} */
async function bestWay() {
  const library = await libraryHere();
  const reason = unfit();
  if (reason || !library) return officialWay(reason ?? 'no wheel fits this machine', []);
  const key = bindingKey(library);
  if (!key) throw new Stop('The npm packages are not in place: run npm run setup.');
  if (wantedDevice() === 'gpu' && !library.gpu) say('DEVICE is gpu, but no NVIDIA driver answers here.');
  if (!isCompiled(library, key)) {
    const { missing, python, compiler } = await tools();
    if (!python || !compiler) return officialWay(inWords(missing), missing);
    const failure = await attempt(async () => {
      await fetchAndUnpack(library, python);
      await compile(library, key, compiler);
    });
    if (failure) return { kind: 'javascript', reason: failure };
  }
  putInPlace(library, key);
  return verified({ kind: 'wheel', key });
}

/** @param {() => Promise<void>} work @returns {Promise<string | undefined>} why it did not work */
async function attempt(work) {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(`${error.message}:\n${error.details}`);
    return error.message;
  }
}

/**
 * @param {Library} library
 * @param {string} python
 */
async function fetchAndUnpack(library, python) {
  const stamp = [...library.wheels.map((wheel) => wheel.sha256), ...KEEP].join(' ');
  if (readJson(join(library.folder, 'wheels.json')) === stamp) return;
  const device = library.gpu ? 'gpu' : 'cpu';
  needDisk(DISK[device]);
  const bytes = library.wheels.reduce((sum, wheel) => sum + wheel.bytes, 0);
  say(`Downloading TensorFlow ${TENSORFLOW} for the ${device.toUpperCase()}: ${megabytes(bytes)} …`);
  const files = [];
  for (const wheel of library.wheels) files.push(await fetchWheel(wheel, python));
  say('Unpacking …');
  const unfinished = `${library.folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  for (const file of files) {
    const outcome = await run(python, [join(import.meta.dirname, 'unpack.py'), file, unfinished, ...KEEP]);
    if (outcome.code !== 0) throw new Failure('a wheel could not be unpacked', lastLines(outcome.output));
  }
  writeJson(join(unfinished, 'wheels.json'), stamp);
  rmSync(library.folder, { recursive: true, force: true });
  renameSync(unfinished, library.folder);
  rmSync(wheelsFolder, { recursive: true, force: true });
}

/** @param {number} bytes */
function needDisk(bytes) {
  const { bavail, bsize } = statfsSync(work);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new Stop(
    `Setting up TensorFlow takes ${megabytes(bytes)} of disk, and ${megabytes(free)} are free under ${work}. ` +
      'Make room, then run this again.',
  );
}

/**
 * The package's own download: an older TensorFlow, from where that package says.
 * @param {string} reason
 * @param {string[]} missing
 * @returns {Promise<Ready>}
 */
async function officialWay(reason, missing) {
  say(`TensorFlow ${TENSORFLOW} cannot be set up here (${reason}): trying the older one that tfjs-node downloads …`);
  const final = missing.length === 0;
  const kind = wantedDevice() !== 'cpu' && (await nvidiaAnswers()) ? 'gpu' : 'cpu';
  const outcome = await run(process.execPath, [join('scripts', 'install.js'), kind, 'download'], {
    cwd: tfjsNode,
    env: { PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH}` },
    timeoutMs: 1_200_000,
  });
  if (outcome.code === 0 && existsSync(bindingFile)) return verified({ kind: 'official', reason, missing, final });
  // Half a download would be taken for a whole one by that script's next run.
  rmSync(join(tfjsNode, 'deps'), { recursive: true, force: true });
  const why = outcome.output.match(/\w*Error: .*/)?.[0] ?? outcome.ending;
  return { kind: 'javascript', reason: `${reason}, and tfjs-node's own download failed (${why})`, missing };
}

/** @param {Ready} ready @returns {Promise<Ready>} it, or plain JavaScript if it does not work */
async function verified(ready) {
  const { found, problem } = await checkTensorflow();
  if (!found) {
    say(`TensorFlow's library is in place and does not work:\n${problem}`);
    return { ...ready, kind: 'javascript', reason: 'its library does not work on this machine' };
  }
  if ((await nvidiaAnswers()) && wantedDevice() !== 'cpu' && !found.gpu) {
    say('TensorFlow does not see the GPU, and computes on the CPU. Is the NVIDIA driver 525 or later?');
  }
  return { ...ready, ...found };
}

/**
 * A small matrix product in a child process.
 * @returns {Promise<{ found?: { version: string, gpu: boolean }, problem?: string }>}
 */
export async function checkTensorflow() {
  const outcome = await run(process.execPath, [join(import.meta.dirname, 'tensorflow-check.mjs')], {
    cwd: root,
    env: { DEVICE: wantedDevice(), NODE_NO_WARNINGS: '1' },
    timeoutMs: 300_000,
  });
  const line = outcome.stdout.trim().split('\n').at(-1) ?? '';
  if (outcome.code === 0 && line.startsWith('{')) return { found: JSON.parse(line) };
  return { problem: `${lastLines(`${outcome.ending}\n${outcome.output}`)}` };
}
