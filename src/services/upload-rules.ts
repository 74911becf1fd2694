/** What holds of uploads: whose they are, what may be asked of one, and what is told where it does not hold. */
import { mayUse, type Viewer, viewerId } from '../core/access.ts';
import { AppError } from '../core/errors.ts';
import { plain } from '../datasets/entry.ts';
import type { UploadRow } from '../store/upload-tables.ts';
import type { StoredUpload } from '../store/uploads.ts';
import { MOST_UPLOAD_BYTES, type Received, tooLarge } from './upload-body.ts';

export interface NewUploadRequest {
  /** For people to tell their uploads apart. */
  readonly filename?: string | null | undefined;
  /** Of the file, where the client knows it before. */
  readonly bytes?: number | null | undefined;
  readonly sha256?: string | null | undefined;
  /** So that the same wish makes one upload. */
  readonly id?: string | undefined;
}

const LONGEST_NAME = 200;

/** Another purpose than that of addresses which are only read. */
export const signedText = (id: string) => `PUT /uploads/${id}`;

/** An admin, and whoever reaches a server that wants no keys. */
export const seesAll = (viewer: Viewer) => mayUse(viewer, 'admin');

/** Others' uploads are not there, for all that anybody but an admin is told. */
export const maySee = (viewer: Viewer, { owner }: UploadRow) => owner === viewerId(viewer) || seesAll(viewer);

export const isExpired = ({ status, expiresAt }: UploadRow) =>
  status === 'WAITING' && expiresAt !== null && expiresAt.getTime() <= Date.now();

/** @throws AppError INVALID_INPUT, TOO_LARGE */
export function checkedRequest(request: NewUploadRequest): Pick<UploadRow, 'filename' | 'saidBytes' | 'saidSha256'> {
  const bytes = request.bytes ?? null;
  const sha256 = request.sha256?.toLowerCase() ?? null;
  check(bytes === null || (Number.isInteger(bytes) && bytes > 0), 'bytes', 'the number of bytes of the file');
  if (bytes !== null && bytes > MOST_UPLOAD_BYTES) throw tooLarge();
  check(sha256 === null || /^[0-9a-f]{64}$/.test(sha256), 'sha256', 'a SHA-256 of 64 hexadecimal digits');
  return { filename: nameOf(request.filename ?? ''), saidBytes: bytes, saidSha256: sha256 };
}

/** The last part of a path of any system, as text that is safe to show and to log; null where nothing is left. */
function nameOf(filename: string): string | null {
  const name = plain(filename.split(/[\\/]/).at(-1) ?? '');
  return [...name].slice(0, LONGEST_NAME).join('') || null;
}

export function ready(row: UploadRow): UploadRow & Pick<StoredUpload, 'sha256' | 'width' | 'height'> {
  const { sha256, width, height } = row;
  if (sha256 !== null && width !== null && height !== null) return { ...row, sha256, width, height };
  const message = 'The upload still waits for its file: send it by PUT to the address in its url.';
  throw new AppError('WRONG_STATE', message, { path: ['upload'] });
}

export function checkSaid({ saidBytes, saidSha256 }: UploadRow, { bytes, sha256 }: Received): void {
  if (saidBytes !== null && saidBytes !== bytes)
    throw new AppError('INVALID_INPUT', `createUpload was told of ${saidBytes} bytes, and ${bytes} came.`);
  if (saidSha256 !== null && saidSha256 !== sha256)
    throw new AppError('INVALID_INPUT', 'What came has another SHA-256 than createUpload was told.');
}

export function sameOrConflict(row: UploadRow, { sha256 }: Received): UploadRow {
  if (row.sentSha256 === sha256) return row;
  throw new AppError('CONFLICT', 'Another file was sent here before. Make another upload with createUpload.');
}

function check(holds: boolean, field: string, what: string): void {
  if (!holds) throw new AppError('INVALID_INPUT', `${field} must be ${what}.`, { path: ['input', field] });
}

export function notFound(path: readonly string[]): AppError {
  return new AppError('NOT_FOUND', 'There is no such upload, or it is not yours.', { path });
}

export function gone(): AppError {
  return new AppError('EXPIRED', 'The upload has expired or was deleted. Make another one with createUpload.');
}
