/** What happens on this server beside single runs, as streams: pictures kept, runs changing, an import going on. */
import { AppError } from '../core/errors.ts';
import { EventStream } from '../core/event-stream.ts';
import { isGenerationOver } from '../core/generation-state.ts';
import { localId } from '../core/global-id.ts';
import type {
  GenerationProgress,
  ImportProgress,
  KeptImage,
  RunChange,
  TopicBody,
  TopicEntry,
} from '../core/topics.ts';
import { datasetsByIds, findDataset } from '../store/datasets.ts';
import type { Db } from '../store/db.ts';
import { generationById } from '../store/generations.ts';
import { generationTopic, IMAGES_TOPIC, importTopic, lastSeqOf, RUNS_TOPIC, readEntries } from '../store/topic-log.ts';
import type { LogFeed } from './log-feed.ts';
import { checkedAfter, checkedInterval, checkReached, type StreamPlace } from './stream-place.ts';

export class TopicService {
  readonly #db: Db;
  readonly #feed: LogFeed;

  constructor({ db, feed }: { readonly db: Db; readonly feed: LogFeed }) {
    this.#db = db;
    this.#feed = feed;
  }

  /** Pictures as they go into the gallery; without `after` from now on. @throws AppError INVALID_INPUT */
  keptImages({ after }: StreamPlace): Promise<EventStream<TopicEntry<KeptImage>>> {
    return this.#endless(IMAGES_TOPIC, (body): body is KeptImage => 'imageId' in body, after);
  }

  /** Changes of state of any run; without `after` from now on. @throws AppError INVALID_INPUT */
  runChanges({ after }: StreamPlace): Promise<EventStream<TopicEntry<RunChange>>> {
    return this.#endless(RUNS_TOPIC, (body): body is RunChange => 'runId' in body, after);
  }

  /**
   * How far a dataset's newest import is, to its end; states always, counts at most every `minIntervalMs`.
   * @throws AppError NOT_FOUND, INVALID_INPUT
   */
  async importProgress(
    dataset: string,
    { after, minIntervalMs }: StreamPlace,
  ): Promise<EventStream<TopicEntry<ImportProgress>>> {
    const from = checkedAfter(after) ?? 0;
    const interval = checkedInterval(minIntervalMs);
    const row = await findDataset(this.#db, localId(dataset, 'Dataset'));
    if (row === undefined) {
      const message = `There is no dataset "${dataset.slice(0, 200)}". The query datasets lists them.`;
      throw new AppError('NOT_FOUND', message, { path: ['dataset'] });
    }
    const topic = importTopic(row.id);
    checkReached(from, await lastSeqOf(this.#db, topic));
    const log = this.#feed.log<TopicEntry<ImportProgress>>({
      topic,
      read: (place, limit) =>
        this.#read(topic, (body): body is ImportProgress => 'importStatus' in body, { after: place, limit }),
      isLast: ({ body }) => body.importStatus !== 'IMPORTING',
      isOver: async () => {
        const [now] = await datasetsByIds(this.#db, [row.id]);
        return now?.status !== 'IMPORTING';
      },
    });
    if (interval === 0) return new EventStream(log, from);
    const mayBeSkipped = ({ body }: TopicEntry<ImportProgress>) => body.importStatus === 'IMPORTING';
    return new EventStream(log, from, { minIntervalMs: interval, mayBeSkipped });
  }

  /**
   * How far a job is, to its end; states always, counts at most every `minIntervalMs`.
   * @throws AppError NOT_FOUND, INVALID_INPUT
   */
  async generationProgress(
    id: string,
    { after, minIntervalMs }: StreamPlace,
  ): Promise<EventStream<TopicEntry<GenerationProgress>>> {
    const from = checkedAfter(after) ?? 0;
    const interval = checkedInterval(minIntervalMs);
    const topic = generationTopic(id);
    checkReached(from, await lastSeqOf(this.#db, topic));
    const log = this.#feed.log<TopicEntry<GenerationProgress>>({
      topic,
      read: (place, limit) =>
        this.#read(topic, (body): body is GenerationProgress => 'generationStatus' in body, { after: place, limit }),
      isLast: ({ body }) => isGenerationOver(body.generationStatus),
      isOver: async () => {
        const job = await generationById(this.#db, id);
        return job === undefined || isGenerationOver(job.status);
      },
    });
    if (interval === 0) return new EventStream(log, from);
    const mayBeSkipped = ({ body }: TopicEntry<GenerationProgress>) => body.generationStatus === 'RUNNING';
    return new EventStream(log, from, { minIntervalMs: interval, mayBeSkipped });
  }

  async #endless<Body extends TopicBody>(
    topic: string,
    isOfTopic: (body: TopicBody) => body is Body,
    after: number | null | undefined,
  ): Promise<EventStream<TopicEntry<Body>>> {
    const last = await lastSeqOf(this.#db, topic);
    const from = checkedAfter(after) ?? last;
    checkReached(from, last);
    const log = this.#feed.log<TopicEntry<Body>>({
      topic,
      read: (place, limit) => this.#read(topic, isOfTopic, { after: place, limit }),
      isLast: () => false,
      isOver: () => Promise.resolve(false),
    });
    return new EventStream(log, from);
  }

  async #read<Body extends TopicBody>(
    topic: string,
    isOfTopic: (body: TopicBody) => body is Body,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<TopicEntry<Body>[]> {
    const entries = await readEntries(this.#db, { topic, after, limit });
    return entries.map(({ seq, at, body }) => {
      if (!isOfTopic(body)) throw new Error(`Entry ${seq} of ${topic} is of another kind`);
      return { seq, at, body };
    });
  }
}
