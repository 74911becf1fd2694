/** The pictures of a job by its URL, as a ZIP that is made while it is read. */
import express, { type RequestHandler, type Router } from 'express';
import { AppError } from '../core/errors.ts';
import type { Services } from '../resolvers/context.ts';
import { generationById } from '../store/generations.ts';
import { answerZip } from './zip-answer.ts';

export function generationRoutes(
  { db, jobs, log }: Pick<Services, 'db' | 'jobs' | 'log'>,
  gate: RequestHandler,
): Router {
  const router = express.Router();
  router.use('/generations', gate);
  router.get('/generations/:file', async (request, response) => {
    const [, id] = /^([\w-]+)\.zip$/.exec(request.params.file) ?? [];
    const job = id === undefined ? undefined : await generationById(db, id);
    if (job === undefined) throw new AppError('NOT_FOUND', 'There is no such job.');
    await answerZip(request, response, { name: `artgan-${job.id}.zip`, entries: () => jobs.entries(job), log });
  });
  return router;
}
