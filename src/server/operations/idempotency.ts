/**
 * Mutations that were asked for with an Idempotency-Key run once: the same key and request again gives the same answer,
 * another request with it is refused. What a mutation makes takes its id from the key, so that even a server that died
 * between doing and answering does not do it twice.
 */
import type { FormattedExecutionResult } from 'graphql';
import { type Viewer, viewerId } from '../../core/access.ts';
import { fieldIn } from '../../resolvers/policy.ts';
import type { Db } from '../../store/db.ts';
import { answerKey, claimKey, releaseKey, renewKey } from '../../store/idempotency.ts';
import { sha256Of } from './documents.ts';
import type { PreparedOperation } from './prepare.ts';
import { refusal, refusalOf } from './refusals.ts';

const FORM = /^[\x21-\x7e]{1,255}$/;
/** So long after the death of a server nobody else may begin its work again. */
const HOLD_MS = 15_000;

export interface IdempotentWork {
  readonly db: Db;
  readonly viewer: Viewer;
  readonly key: string;
  readonly prepared: PreparedOperation;
  /** What is made takes its ids from `wish`: of the key and the request, so that a key may be used anew after its time. */
  readonly run: (wish: string) => Promise<FormattedExecutionResult>;
}

/** @throws Refusal */
export function checkedKey(key: unknown): string | undefined {
  if (key === undefined || key === null || key === '') return undefined;
  if (typeof key === 'string' && FORM.test(key)) return key;
  throw refusal(
    'BAD_REQUEST',
    'An Idempotency-Key is 1 to 255 printable ASCII characters without spaces, e.g. a UUID.',
  );
}

/** @throws Refusal IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE */
export async function once(work: IdempotentWork): Promise<{ result: FormattedExecutionResult; replayed: boolean }> {
  const { db, viewer, key, prepared } = work;
  const id = sha256Of(`${viewerId(viewer)} ${key}`);
  const fingerprint = fingerprintOf(prepared);
  const claim = await claimKey(db, { id, fingerprint, holdMs: HOLD_MS });
  switch (claim.state) {
    case 'answered':
      return { result: claim.answer as FormattedExecutionResult, replayed: true };
    case 'other request':
      throw refusalOf('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used for another request. Choose a new one.');
    case 'busy': {
      const message = 'The request with this Idempotency-Key is being worked on. Ask again for its answer.';
      throw refusalOf('IDEMPOTENCY_KEY_IN_USE', message, { retryable: true, retryAfterMs: 1_000 });
    }
    case 'new':
      return { result: await held(db, id, () => work.run(`${key} ${fingerprint}`)), replayed: false };
  }
}

/** Does the work and keeps its answer, or gives the key back where nothing was done. */
async function held(db: Db, id: string, run: () => Promise<FormattedExecutionResult>) {
  const renewing = setInterval(() => void renewKey(db, id, HOLD_MS).catch(() => undefined), HOLD_MS / 3);
  let result: FormattedExecutionResult | undefined;
  try {
    result = await run();
  } finally {
    clearInterval(renewing);
    if (result === undefined || hasFailed(result)) await releaseKey(db, id);
  }
  if (!hasFailed(result)) await answerKey(db, id, withoutSecrets(result));
  return result;
}

function fingerprintOf({ document, operationName, variables }: PreparedOperation): string {
  return sha256Of(JSON.stringify([document.sha256, operationName ?? null, variables]));
}

/** By no fault of the request, or with nothing but user errors: then it may be asked for again, or put right. */
function hasFailed({ data, errors = [] }: FormattedExecutionResult): boolean {
  if (errors.some(({ extensions }) => extensions?.['retryable'] === true)) return true;
  return data !== undefined && data !== null && Object.values(data).every(hasUserErrors);
}

function hasUserErrors(payload: unknown): boolean {
  const errors = fieldIn(payload, 'userErrors');
  return Array.isArray(errors) && errors.length > 0;
}

/** A new API key is shown once and nowhere written down. */
function withoutSecrets(result: FormattedExecutionResult): unknown {
  return JSON.parse(JSON.stringify(result, (_name, value) => (isApiKey(value) ? null : value)));
}

function isApiKey(value: unknown): boolean {
  return typeof value === 'string' && /^artgan_[\w-]{43}$/.test(value);
}
