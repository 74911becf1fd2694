/** Files of exported models by their URLs, for programs and for pages that load a model into the browser. */
import express, { type Router } from 'express';
import type { Services } from '../resolvers/context.ts';

/** A model never changes. */
const A_YEAR_MS = 31_536_000_000;

export function exportRoutes({ exports }: Pick<Services, 'exports'>): Router {
  const router = express.Router();
  router.get('/exports/:model/:format/:file', async (request, response, next) => {
    const { model, format, file } = request.params;
    const path = await exports.file(model, format, file);
    response.set('X-Content-Type-Options', 'nosniff');
    response.sendFile(path, { maxAge: A_YEAR_MS, immutable: true, dotfiles: 'allow' }, (error) => {
      if (error !== undefined && !response.headersSent) next(error);
    });
  });
  return router;
}
