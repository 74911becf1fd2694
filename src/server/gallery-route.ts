/** Exports of the gallery by their URLs. */
import express, { type RequestHandler, type Router } from 'express';
import { AppError } from '../core/errors.ts';
import type { Services } from '../resolvers/context.ts';
import { answerZip } from './zip-answer.ts';

export function galleryRoutes(
  { galleryExports, log }: Pick<Services, 'galleryExports' | 'log'>,
  gate: RequestHandler,
): Router {
  const router = express.Router();
  router.use('/gallery', gate);
  router.get('/gallery/:file', async (request, response) => {
    const [, id] = /^([\w-]+)\.zip$/.exec(request.params.file) ?? [];
    if (id === undefined) throw new AppError('NOT_FOUND', 'There is no such export.');
    const found = await galleryExports.find(id);
    await answerZip(request, response, {
      name: 'artgan-gallery.zip',
      entries: () => galleryExports.entries(found),
      log,
    });
  });
  return router;
}
