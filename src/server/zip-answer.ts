/** A ZIP as an answer of HTTP: sent as fast as it is read, and made no faster. */
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { Log } from '../core/log.ts';
import { type ZipEntry, zipOf } from '../services/zip.ts';

export interface ZipAnswer {
  /** As it is saved. */
  readonly name: string;
  readonly entries: () => AsyncIterable<ZipEntry>;
  readonly log: Log;
}

/** What is in it may be another the next time. */
const CACHE = 'no-store';

export async function answerZip(
  request: Request,
  response: Response,
  { name, entries, log }: ZipAnswer,
): Promise<void> {
  response.set({
    'Cache-Control': CACHE,
    'Content-Type': 'application/zip',
    'Content-Disposition': `attachment; filename="${name}"`,
    'X-Content-Type-Options': 'nosniff',
  });
  if (request.method === 'HEAD') return void response.end();
  try {
    await pipeline(zipOf(entries()), response);
  } catch (error) {
    // Half of it is out: the client is cut off, and knows by that.
    if (!request.destroyed) log.warn({ err: error, name }, 'A ZIP was broken off');
    response.destroy();
  }
}
