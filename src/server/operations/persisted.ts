/**
 * Operations by their SHA-256 instead of their text. `apq`: a client sends the text once, with its hash, and later the hash
 * alone. `allow-list`: only the operations of a manifest run (Apollo's format: `{ operations: [{ id, body }] }`).
 */
import { readFile } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { type Documents, sha256Of, type ValidDocument } from './documents.ts';
import { refusal } from './refusals.ts';

export interface PersistedQueries {
  /** @throws Refusal */
  read(request: TextOrHash, documents: Pick<Documents, 'read'>): ValidDocument;
}

export interface TextOrHash {
  readonly query: string | undefined;
  readonly extensions: Readonly<Record<string, unknown>> | undefined;
}

/** As many as one server keeps: a flood of hashes pushes out others, and their clients send the text again. */
const REMEMBERED = 1_000;

const persistedQuery = z.object({ version: z.literal(1), sha256Hash: z.string().regex(/^[0-9a-f]{64}$/) });
const manifest = z.object({
  operations: z.array(z.object({ id: z.string().min(1), body: z.string().min(1) })),
});

export function automaticPersistedQueries(): PersistedQueries {
  const texts = new LRUCache<string, string>({ max: REMEMBERED });
  return {
    read: ({ query, extensions }, documents) => {
      const hash = hashIn(extensions);
      if (hash === undefined) return documents.read(required(query));
      if (query === undefined) {
        const known = texts.get(hash);
        if (known === undefined) throw refusal('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound');
        return documents.read(known);
      }
      if (sha256Of(query) !== hash) throw refusal('BAD_REQUEST', 'sha256Hash is not the SHA-256 of query.');
      // Only what may run is remembered.
      const document = documents.read(query);
      texts.set(hash, query);
      return document;
    },
  };
}

export function noPersistedQueries(): PersistedQueries {
  return {
    read: ({ query, extensions }, documents) => {
      if (query === undefined && hashIn(extensions) !== undefined)
        throw refusal('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported');
      return documents.read(required(query));
    },
  };
}

/** @throws AppError INVALID_CONFIG */
export async function allowList(file: string): Promise<PersistedQueries> {
  const byId = new Map<string, string>();
  const known = new Set<string>();
  for (const { id, body } of await readManifest(file)) {
    byId.set(id, body);
    known.add(body);
  }
  return {
    read: ({ query, extensions }, documents) => {
      const hash = hashIn(extensions);
      const text = query ?? (hash === undefined ? undefined : byId.get(hash));
      if (text !== undefined && known.has(text)) return documents.read(text);
      const message = 'This server runs only the operations of its allow-list, and this is none of them.';
      throw refusal('PERSISTED_QUERY_REQUIRED', message);
    },
  };
}

async function readManifest(file: string): Promise<z.infer<typeof manifest>['operations']> {
  try {
    return manifest.parse(JSON.parse(await readFile(file, 'utf8'))).operations;
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new AppError('INVALID_CONFIG', `PERSISTED_QUERY_MANIFEST=${file} cannot be used: ${why}`, { cause });
  }
}

function required(query: string | undefined): string {
  if (query !== undefined && query.trim() !== '') return query;
  throw refusal('BAD_REQUEST', 'The request holds no query.');
}

function hashIn(extensions: TextOrHash['extensions']): string | undefined {
  const given = extensions?.['persistedQuery'];
  if (given === undefined || given === null) return undefined;
  const read = persistedQuery.safeParse(given);
  if (read.success) return read.data.sha256Hash;
  throw refusal('BAD_REQUEST', 'extensions.persistedQuery must be { version: 1, sha256Hash: <64 hex digits> }.');
}
