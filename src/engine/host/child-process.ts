/**
 * One engine child: started, watched and ended. Every message in is parsed; a child that says something else, or
 * nothing for too long, is killed. It never restarts a child: who started it decides.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Deferred, deferred } from '../../core/deferred.ts';
import type { Log } from '../../core/log.ts';
import {
  type FromGenerator,
  type FromTrainer,
  PROTOCOL_VERSION,
  type ToGenerator,
  type ToTrainer,
} from '../protocol.ts';
import { readLines } from './lines.ts';

export interface HostOptions {
  readonly device: 'auto' | 'gpu' | 'cpu';
  /** How networks run; graph unless told. */
  readonly engine?: 'graph' | 'eager';
  /** A child that says nothing for this long is killed. */
  readonly heartbeatTimeoutMs: number;
  readonly log: Log;
  /** Another program that speaks the protocol, for tests. */
  readonly program?: string | undefined;
}

/** exit: by itself or by someone else; killed: by our own wish. */
export type DeathCause = 'exit' | 'silence' | 'garbage' | 'spawn' | 'killed';

/** A child is gone. The message says how, with the end of what it wrote to stderr. */
export class EngineDied extends Error {
  override readonly name = 'EngineDied';
  readonly how: DeathCause;

  constructor(how: DeathCause, message: string, stderrTail: string) {
    super(stderrTail === '' ? message : `${message} Its last words: ${stderrTail}`);
    this.how = how;
  }
}

export interface ChildOptions<Out extends FromTrainer | FromGenerator> extends HostOptions {
  readonly role: 'trainer' | 'generator';
  readonly parse: (message: unknown) => Out;
  /** Hears every message but `alive` and `log`, in order. */
  readonly heard: (message: Out) => void;
}

/** dist/engine/child/main.js, both from dist/engine/host/ and from src/engine/host/ (tests build first). */
const PROGRAM = fileURLToPath(new URL('../../../dist/engine/child/main.js', import.meta.url));
const TAIL_LINES = 12;
/** After the exit, how long its last messages may take to arrive. */
const DRAIN_MS = 1_000;
/** Silence is counted in ticks of a timer, not by the clock: a suspended or busy parent must not blame its child. */
const TICKS = 4;
/**
 * With more threads than two, TensorFlow's convolutions add up in another order for another size of the batch, and for
 * another number of threads: what a seed paints would depend on its neighbours, and on the machine.
 */
const GENERATOR_THREADS = 2;

export class EngineChild<Out extends FromTrainer | FromGenerator> implements AsyncDisposable {
  /** Settles when the child is gone and all that it said has been heard. It never rejects. */
  readonly died: Promise<EngineDied>;
  readonly #options: ChildOptions<Out>;
  readonly #process: ChildProcess;
  readonly #death: Deferred<EngineDied> = deferred();
  readonly #tail: string[] = [];
  readonly #pulse: NodeJS.Timeout;
  #silentTicks = 0;
  #verdict: { readonly how: DeathCause; readonly message: string } | undefined;
  #gone = false;

  constructor(options: ChildOptions<Out>) {
    this.#options = options;
    this.died = this.#death.promise;
    this.#process = fork(options.program ?? PROGRAM, [options.role], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Not the parent's: its --inspect or its loader is nothing for a child.
      execArgv: [],
      env: childEnvironment(options),
    });
    this.#pulse = setInterval(() => this.#beat(), options.heartbeatTimeoutMs / TICKS);
    this.#listen();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Sends it if the child can still hear; one that cannot is about to be told as dead. */
  send(message: ToTrainer | ToGenerator): void {
    if (!this.#gone && this.#process.connected) this.#process.send(message, () => {});
  }

  /** Ends the child at once; nothing that it says from here on is heard. */
  kill(how: DeathCause = 'killed', message = `The ${this.#options.role} process was ended.`): void {
    this.#verdict ??= { how, message };
    if (!this.#gone) this.#process.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.died;
  }

  #listen(): void {
    const { log, role, device } = this.#options;
    log.debug({ role, device, pid: this.pid }, 'Engine child started');
    this.#process.on('message', (message) => this.#hear(message));
    this.#process.on('error', (error) => {
      // Also told when a signal cannot be sent; only a child that never lived has no exit.
      if (this.pid === undefined) this.#bury('spawn', `The ${role} process did not start: ${error.message}.`);
    });
    this.#process.on('exit', (code, signal) => {
      const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
      const bury = () => this.#bury('exit', `The ${role} process ${how}.`);
      // The exit may be told before the last messages and lines have been read; `close` is told after them.
      this.#process.once('close', bury);
      setTimeout(bury, DRAIN_MS).unref();
    });
    const { stdout, stderr } = this.#process;
    if (stdout !== null) readLines(stdout, (line) => log.debug({ role, pid: this.pid }, line));
    if (stderr !== null) readLines(stderr, (line) => this.#remember(line));
  }

  #remember(line: string): void {
    const { log, role } = this.#options;
    log.debug({ role, pid: this.pid }, line);
    this.#tail.push(line);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
  }

  #hear(raw: unknown): void {
    this.#silentTicks = 0;
    if (this.#gone || this.#verdict !== undefined) return;
    const { role, parse, heard, log } = this.#options;
    let message: Out;
    try {
      message = parse(raw);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.kill('garbage', `The ${role} process sent a message that is not of the protocol: ${why.slice(0, 500)}`);
      return;
    }
    const known: FromTrainer | FromGenerator = message;
    if (known.type === 'log') log[known.level]({ role, pid: this.pid }, known.message);
    else if (known.type === 'hello' && known.version !== PROTOCOL_VERSION) {
      const versions = `${known.version}, not ${PROTOCOL_VERSION}`;
      this.kill('garbage', `The ${role} process speaks version ${versions} of the protocol: build again.`);
    } else if (known.type !== 'alive') heard(message);
  }

  #beat(): void {
    this.#silentTicks += 1;
    if (this.#silentTicks <= TICKS) return;
    const { role, heartbeatTimeoutMs } = this.#options;
    const cure = 'A smaller width, batch or resolution, or a larger ENGINE_HEARTBEAT_TIMEOUT_MS, may help.';
    this.kill('silence', `The ${role} process said nothing for ${heartbeatTimeoutMs / 1000} s. ${cure}`);
  }

  #bury(how: DeathCause, message: string): void {
    if (this.#gone) return;
    this.#gone = true;
    clearInterval(this.#pulse);
    const verdict = this.#verdict ?? { how, message };
    this.#options.log.debug({ role: this.#options.role, pid: this.pid }, verdict.message);
    this.#death.resolve(new EngineDied(verdict.how, verdict.message, this.#tail.join(' | ').slice(-1_500)));
  }
}

type ChildSettings = Pick<ChildOptions<FromTrainer>, 'role' | 'device' | 'engine'>;

/** What the API's environment holds, less its secrets, and what the child is to compute with. */
function childEnvironment({ role, device, engine = 'graph' }: ChildSettings): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: a child needs the parent's PATH, HOME and library paths, which are no settings
  const env: NodeJS.ProcessEnv = { ...process.env, DEVICE: device, ENGINE: engine };
  delete env['DATABASE_URL'];
  // An empty list would still make CUDA look for devices; -1 hides them all.
  if (device === 'cpu') env['CUDA_VISIBLE_DEVICES'] = '-1';
  if (role === 'generator') env['TF_NUM_INTRAOP_THREADS'] = String(Math.min(GENERATOR_THREADS, availableParallelism()));
  return env;
}
