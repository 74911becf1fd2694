/** Relay's node: anything that has an id, by its id. */
import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { mayUse } from '../core/access.ts';
import { AppError } from '../core/errors.ts';
import { decodeGlobalId } from '../core/global-id.ts';
import { keyById } from '../store/api-keys.ts';
import type { Context } from './context.ts';
import { PAINTING_COST, pictureOf } from './images.ts';
import { kindOfType, Node, tagged } from './interfaces.ts';
import { listOf, Policy } from './policy.ts';
import { eventOf } from './run-events.ts';

type Find = (context: Context, id: string) => Promise<object | undefined>;

/** How each type is found; a row becomes its type by the name. */
const finders = new Map<string, Find>([
  ['Dataset', ({ load }, id) => load.dataset.load(id)],
  ['Artwork', ({ load }, id) => load.artwork.load(id)],
  ['TrainingRun', ({ load }, id) => load.run.load(id)],
  ['Checkpoint', ({ load }, id) => load.checkpoint.load(id)],
  ['Model', ({ load }, id) => load.model.load(id)],
  ['ApiKey', async ({ db, viewer }, id) => (mayUse(viewer, 'admin') ? keyById(db, id) : undefined)],
  ['TrainingSample', ({ load }, id) => load.sample.load(id).then((event) => event && eventOf(event))],
  ['GeneratedImage', findPicture],
  [
    'Collection',
    async ({ load }, id) => load.gallerySet.load(id).then((set) => (set?.kind === 'collection' ? set : undefined)),
  ],
  ['Generation', ({ jobs, viewer }, id) => jobs.find(id, viewer).catch(absent)],
  [
    'Animation',
    async ({ animations, viewer }, id) => (mayUse(viewer, 'generate') ? animations.find(id).catch(absent) : undefined),
  ],
  ['Upload', async ({ uploads, viewer }, id) => (mayUse(viewer, 'generate') ? uploads.find(id, viewer) : undefined)],
  ...['Artist', 'Style', 'Genre'].map((name): [string, Find] => [name, (context, id) => findLabel(context, name, id)]),
]);

const MOST_NODES = 100;
const ROW_COST = 10;

/** A picture that was not kept is painted. */
function costOf(id: unknown): number {
  const type = typeof id === 'string' ? decodeGlobalId(id)?.type : undefined;
  return type === 'GeneratedImage' ? PAINTING_COST : ROW_COST;
}

@Resolver()
export class NodeQueries {
  @Query(() => Node, { nullable: true })
  @Policy({ cost: ({ id }) => costOf(id) })
  node(@Arg('id', () => ID) id: string, @Ctx() context: Context) {
    return findNode(context, id);
  }

  @Query(() => [Node], { nullable: 'items', description: 'In the order asked for; null for what is not there.' })
  @Policy({
    cost: ({ ids }) => listOf(ids).reduce<number>((sum, id) => sum + costOf(id), 0),
    size: ({ ids }) => listOf(ids).length,
  })
  nodes(@Arg('ids', () => [ID]) ids: string[], @Ctx() context: Context) {
    if (ids.length > MOST_NODES) {
      throw new AppError('INVALID_INPUT', `At most ${MOST_NODES} ids at once.`, { path: ['ids'] });
    }
    return Promise.all(ids.map((id) => findNode(context, id)));
  }
}

async function findNode(context: Context, text: string): Promise<object | null> {
  const global = decodeGlobalId(text);
  if (global === undefined) return null;
  const found = await finders.get(global.type)?.(context, global.id);
  return found === undefined ? null : tagged(global.type, found);
}

async function findLabel({ load }: Context, typeName: string, id: string): Promise<object | undefined> {
  const label = await load.label.load(id);
  return label?.kind === kindOfType(typeName) ? label : undefined;
}

/** Who may not have pictures painted finds those that were kept. */
async function findPicture({ generation, load, viewer, asker }: Context, id: string): Promise<object | undefined> {
  const painted = mayUse(viewer, 'generate') ? await generation.byRecipe(id, asker).catch(absent) : undefined;
  if (painted !== undefined) return painted;
  // Also where its model has gone.
  const kept = await load.keptImage.load(id);
  return kept && pictureOf(kept);
}

/** A recipe of a model that has gone, or no recipe at all, is a node that is not there. */
function absent(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'NOT_FOUND') return undefined;
  throw error;
}
