/**
 * Files that strangers have sent, decoded one at a time, each in a process of its own: what a decoder takes, leaks or does
 * wrong ends with it, and the server neither grows nor falls. It has none of the server's secrets. To start it takes 0.15 s.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { AppError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { Budget } from '../datasets/budget.ts';
import { REFUSALS, type UploadedPicture } from './upload-decode.ts';

/** Both from dist/services/ and from src/services/ (tests build first). */
const PROGRAM = fileURLToPath(new URL('../../dist/services/upload-child.js', import.meta.url));
/** Decoders are asked to stop after 10 seconds, and are tried twice at most. */
const MOST_MS = 25_000;
const MOST_SAID = 2_000;

const picture = z.object({
  png: z.instanceof(Uint8Array),
  width: z.int().positive(),
  height: z.int().positive(),
  recipe: z.string().nullable(),
});
const answer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('picture'), picture }),
  z.object({ kind: z.literal('refusal'), code: z.enum(REFUSALS), message: z.string() }),
]);
type Answer = z.infer<typeof answer>;

export class UploadPictures implements Disposable {
  readonly #turns = new Budget(1);
  readonly #closing = new AbortController();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** @throws AppError as upload-decode.ts: pictureOf, BAD_PICTURE also where the decoder itself has ended; what `signal` says */
  async make(
    path: string,
    { folder, signal }: Pick<Decoding, 'folder'> & { readonly signal: AbortSignal },
  ): Promise<UploadedPicture> {
    const until = AbortSignal.any([signal, this.#closing.signal]);
    using _turn = await this.#turns.take(1, until);
    const told = await decode(path, { folder, until, log: this.#log });
    until.throwIfAborted();
    if (told?.kind === 'refusal') throw new AppError(told.code, told.message);
    if (told !== undefined) return told.picture;
    throw new AppError('BAD_PICTURE', 'It cannot be decoded: the decoder gave up, or would not come to an end.');
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
  }
}

interface Decoding {
  /** For what decoders write to a disk. */
  readonly folder: string;
  readonly until: AbortSignal;
  readonly log: Log;
}

/** Undefined where the process has said nothing that could be read. */
async function decode(path: string, { folder, until, log }: Decoding): Promise<Answer | undefined> {
  const child = fork(PROGRAM, [path], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
    env: { TMPDIR: folder },
  });
  const kill = () => child.kill('SIGKILL');
  const timer = setTimeout(kill, MOST_MS);
  until.addEventListener('abort', kill);
  let said = '';
  child.stderr?.on('data', (part: Buffer) => {
    if (said.length < MOST_SAID) said += part.toString();
  });
  try {
    return await new Promise((resolve, reject) => {
      let told: Answer | undefined;
      child.once('message', (message) => {
        told = answer.safeParse(message).data;
      });
      child.once('error', reject);
      child.once('close', (code, signal) => {
        const lastWords = said.slice(0, MOST_SAID);
        if (told === undefined && !until.aborted) log.warn({ code, signal, lastWords }, 'A decoder has ended early');
        resolve(told);
      });
    });
  } finally {
    clearTimeout(timer);
    until.removeEventListener('abort', kill);
  }
}
