/** Files of exported models by their URLs, for programs and for pages that load a model into the browser. */
import express, { type Request, type RequestHandler, type Router } from 'express';
import type { Services } from '../resolvers/context.ts';
import { cacheControl } from './gate.ts';

interface FilePath {
  readonly model: string;
  readonly format: string;
  readonly file: string;
}

/** A model never changes. */
const FOR_EVER = 'max-age=31536000, immutable';

export function exportRoutes({ exports }: Pick<Services, 'exports'>, gate: RequestHandler): Router {
  const router = express.Router();
  router.use('/exports', gate);
  const paths = ['/exports/:model/:format/:file', '/exports/:model/:format/:signature/:file'];
  router.get(paths, async (request: Request<FilePath>, response, next) => {
    const { model, format, file } = request.params;
    const path = await exports.file(model, format, file);
    response.set({ 'Cache-Control': cacheControl(response, FOR_EVER), 'X-Content-Type-Options': 'nosniff' });
    response.sendFile(path, { cacheControl: false, dotfiles: 'allow' }, (error) => {
      if (error !== undefined && !response.headersSent) next(error);
    });
  });
  return router;
}
