// What this machine is and has: C library, NVIDIA driver, Python with pip, C++ compiler; and how to install the rest.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run, which } from './command.mjs';

const LIBRARY_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/lib/wsl/lib',
  '/usr/local/nvidia/lib64',
  '/usr/local/cuda/compat',
];
/** The oldest C library that the wheels run with. */
const GLIBC = { major: 2, minor: 27 };

/** Whether an NVIDIA driver answers: both its device and its library are here, or nvidia-smi lists a GPU. */
export async function nvidiaAnswers() {
  if (process.platform !== 'linux') return false;
  // A container sees the host's driver in /proc also when it was given no GPU; these it sees only then.
  const device = existsSync('/dev/dxg') || readdirSync('/dev').some((name) => /^nvidia\d+$/.test(name));
  if (!device) return false;
  const folders = [...LIBRARY_FOLDERS, ...(process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean)];
  if (folders.some((folder) => existsSync(join(folder, 'libcuda.so.1')))) return true;
  const smi = which('nvidia-smi');
  return smi !== undefined && (await run(smi, ['-L'], { timeoutMs: 20_000 })).code === 0;
}

/** Why no wheel of TensorFlow can be used on this kind of machine, or undefined. */
export function unfit() {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    return `there is no wheel for ${process.platform} on ${process.arch}`;
  }
  const version = glibc();
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  const enough = major > GLIBC.major || (major === GLIBC.major && minor >= GLIBC.minor);
  return enough ? undefined : `it needs glibc ${GLIBC.major}.${GLIBC.minor}, here is ${version ?? 'another C library'}`;
}

/** The version of the GNU C library, or undefined on any other. */
function glibc() {
  const version = /** @type {any} */ (process.report.getReport()).header.glibcVersionRuntime;
  return typeof version === 'string' ? version : undefined;
}

/**
 * The tools that the wheel's way needs; one that is not here is named in `missing`.
 * @returns {Promise<{ missing: string[], python: string | undefined, compiler: string | undefined }>}
 */
export async function tools() {
  const python = await pythonWithPip();
  const compiler = [process.env.CXX ?? '', 'c++', 'g++', 'clang++'].map(which).find(Boolean);
  return { missing: [...(python ? [] : ['pip']), ...(compiler ? [] : ['compiler'])], python, compiler };
}

async function pythonWithPip() {
  for (const name of ['python3', 'python']) {
    const path = which(name);
    if (path && (await run(path, ['-m', 'pip', '--version'], { timeoutMs: 60_000 })).code === 0) return path;
  }
  return undefined;
}

/** @type {Readonly<Record<string, string>>} */
const TOOLS = { pip: 'Python 3 with pip', compiler: 'a C++ compiler' };

/** @type {Readonly<Record<string, Record<string, string>>>} */
const PACKAGES = {
  'apt-get install': { pip: 'python3 python3-pip', compiler: 'g++' },
  'dnf install': { pip: 'python3 python3-pip', compiler: 'gcc-c++' },
  'zypper install': { pip: 'python3 python3-pip', compiler: 'gcc-c++' },
  'pacman -S': { pip: 'python python-pip', compiler: 'gcc' },
  'apk add': { pip: 'python3 py3-pip', compiler: 'g++' },
  'brew install': { pip: 'python', compiler: 'gcc' },
};

/** @param {readonly string[]} missing */
export function inWords(missing) {
  return `${missing.map((tool) => TOOLS[tool] ?? tool).join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing`;
}

/**
 * The command by which this machine's own package manager installs what is missing.
 * @param {readonly string[]} missing
 */
export function installCommand(missing) {
  const found = Object.keys(PACKAGES).find((command) => which(command.split(' ')[0] ?? ''));
  const manager = found ?? (process.platform === 'darwin' ? 'brew install' : 'apt-get install');
  const sudo = manager !== 'brew install' && process.getuid?.() !== 0 ? 'sudo ' : '';
  return `${sudo}${manager} ${missing.map((tool) => PACKAGES[manager]?.[tool] ?? tool).join(' ')}`;
}
