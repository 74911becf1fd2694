/** Who may open files by their address: anybody where pictures are public, else whoever has a signed address or a key. */
import type { Request, RequestHandler, Response } from 'express';
import { mayUse, type Scope } from '../core/access.ts';
import { AppError } from '../core/errors.ts';
import type { AccessService } from '../services/access.ts';
import type { Signatures } from '../services/signatures.ts';
import { keyIn } from './visit.ts';

export interface GateParts {
  readonly access: AccessService;
  readonly signatures: Signatures;
  readonly publicPictures: 'auto' | 'on' | 'off';
}

const PRIVATE = 'isPrivate';

/** How long the answer may be kept, and by whom: what was signed for one, no proxy may give to others. */
export function cacheControl(response: Response, seconds: string): string {
  return `${response.locals[PRIVATE] === true ? 'private' : 'public'}, ${seconds}`;
}

/** Whether addresses must be signed to be opened without a key. */
export function signsUrls({ access, publicPictures }: Pick<GateParts, 'access' | 'publicPictures'>): boolean {
  return publicPictures === 'auto' ? access.wantsKeys : publicPictures === 'off';
}

/** Lets through what is public, what is signed, and whoever has a key that may read. */
export function mayOpen(parts: GateParts): RequestHandler {
  return async (request, response, next) => {
    if (!signsUrls(parts)) return next();
    response.locals[PRIVATE] = true;
    if (isSigned(request, parts.signatures)) return next();
    const viewer = await parts.access.viewer(keyIn(request.headers.authorization));
    if (mayUse(viewer, scopeOf(request))) return next();
    const message = 'This address has no signature, or its time is up. Ask for it anew, or come with an API key.';
    throw new AppError(viewer.kind === 'nobody' ? 'UNAUTHENTICATED' : 'FORBIDDEN', message);
  };
}

/** The address of what was not kept is a recipe, which anybody can write: to open it is to have it painted. */
function scopeOf({ baseUrl, path }: Request): Scope {
  const full = `${baseUrl}${path}`;
  // Somebody's own: its address is given to them alone.
  if (full.startsWith('/generations/')) return 'admin';
  return /^\/(images|sheets|animations)\//.test(full) ? 'generate' : 'read';
}

/** In the query; of the files of an export in the path, so that one finds the others. */
function isSigned({ baseUrl, path, query }: Request, signatures: Signatures): boolean {
  const full = baseUrl + path;
  const [, folder, inPath] = /^(\/exports\/[^/]+\/[^/]+)\/([\w.-]+)\/[^/]+$/.exec(full) ?? [];
  if (folder !== undefined && inPath !== undefined) {
    const [expires = '', mark = ''] = inPath.split('.');
    return signatures.isGood(folder, { expires: Number(expires), mark });
  }
  const { e, s, w } = query;
  if (typeof e !== 'string' || typeof s !== 'string') return false;
  return signatures.isGood(typeof w === 'string' ? `${full}?w=${w}` : full, { expires: Number(e), mark: s });
}
