/** What a user asks for by name, as the mix of conditions that a model knows: forgiving, with a did-you-mean. */
import { AppError } from '../core/errors.ts';
import { decodeGlobalId } from '../core/global-id.ts';
import { type Conditions, didYouMean, LABEL_KINDS, type LabelKind, matchKey } from '../core/labels.ts';
import { type Mix, MOST_PARTS, mixOf, type Part, plainMix } from '../core/mix.ts';
import type { ModelCard } from '../core/model-card.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Db } from '../store/db.ts';
import { labelsByIds } from '../store/labels.ts';

/** All that counts is what the weights are to each other. */
const MOST_WEIGHT = 1_000;

interface CombinationRequest {
  /** One label of any kind: slug, name or id. */
  readonly label?: string | null | undefined;
  /** One label per kind: each by slug, name or id. */
  readonly conditions?: { readonly [K in LabelKind]?: string | null | undefined } | null | undefined;
}

export interface MixRequest extends CombinationRequest {
  /** Several combinations, each with a weight; not with `label` or `conditions`. */
  readonly mix?: readonly (CombinationRequest & { readonly weight: number })[] | null | undefined;
}

/**
 * What a request asks for.
 * @throws AppError UNKNOWN_LABEL with suggestions, or INVALID_INPUT.
 */
export async function resolveMix(db: Db, card: ModelCard, request: MixRequest): Promise<Mix> {
  const parts = request.mix ?? undefined;
  if (parts === undefined) return plainMix(await resolveConditions(db, card, request));
  if ((request.label ?? request.conditions ?? null) !== null)
    throw new AppError('INVALID_INPUT', 'Ask by mix, or by label or conditions, not by both.', { path: ['mix'] });
  if (parts.length > MOST_PARTS)
    throw new AppError('INVALID_INPUT', `A mix has at most ${MOST_PARTS} parts.`, { path: ['mix'] });
  const resolved: Part[] = [];
  for (const [i, part] of parts.entries()) {
    const path = ['mix', String(i)];
    if (!(part.weight >= 0 && part.weight <= MOST_WEIGHT)) {
      const message = `A weight is a number from 0 to ${MOST_WEIGHT}; all weights together count as 1.`;
      throw new AppError('INVALID_INPUT', message, { path: [...path, 'weight'] });
    }
    if (part.weight > 0) resolved.push({ weight: part.weight, conditions: await partOf(db, card, part, path) });
  }
  return mixOf(resolved);
}

async function partOf(db: Db, card: ModelCard, part: CombinationRequest, path: readonly string[]): Promise<Conditions> {
  try {
    return await resolveConditions(db, card, part);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, suggestions } = error;
    throw new AppError(code, message, { path: [...path, ...(error.path ?? [])], suggestions });
  }
}

/**
 * The conditions of a combination; empty where nothing was asked for and the model can paint so.
 * @throws AppError UNKNOWN_LABEL with suggestions, or INVALID_INPUT.
 */
async function resolveConditions(db: Db, card: ModelCard, request: CombinationRequest): Promise<Conditions> {
  const label = request.label ?? undefined;
  const asked = LABEL_KINDS.flatMap((kind) => {
    const text = request.conditions?.[kind] ?? undefined;
    return text === undefined ? [] : [{ kind, text }];
  });
  if (label !== undefined && asked.length > 0) {
    throw new AppError('INVALID_INPUT', 'Ask by label or by conditions, not by both.', { path: ['label'] });
  }
  if (label !== undefined) return oneLabel(card, await spelled(db, label));
  if (asked.length === 0 && card.config.labelDropout === 0) {
    throw new AppError('INVALID_INPUT', 'This model paints by label only: give a label or conditions.', {
      path: ['label'],
      suggestions: LABEL_KINDS.flatMap((kind) => card.labels[kind].map(({ name }) => name)).slice(0, 5),
    });
  }
  const conditions: { [K in LabelKind]?: string } = {};
  for (const { kind, text } of asked) {
    const path = ['conditions', kind];
    conditions[kind] = conditionOf(card, kind, { typed: text, spelled: await spelled(db, text), path });
  }
  return conditions;
}

/** Whether a model can paint by a recipe: one from outside may name labels that the model does not know. */
export function knowsRecipe(card: ModelCard, { mix, source }: Pick<Recipe, 'mix' | 'source'>): boolean {
  const isUpload = source.kind === 'upload';
  if (isUpload && card.discriminator === undefined) return false;
  return mix.every(({ conditions }) => knowsConditions(card, conditions, isUpload));
}

/** An upload can be repainted with nothing asked for. */
function knowsConditions(card: ModelCard, conditions: Conditions, mayBeNone: boolean): boolean {
  const asked = LABEL_KINDS.filter((kind) => conditions[kind] !== undefined);
  if (asked.length === 0) return mayBeNone || card.config.labelDropout > 0;
  return asked.every((kind) => card.labels[kind].some(({ slug }) => slug === conditions[kind]));
}

/** The slug of one label of a kind, by slug, name or id. @throws AppError UNKNOWN_LABEL with suggestions */
export async function labelOfKind(
  db: Db,
  card: ModelCard,
  { kind, name, path }: { readonly kind: LabelKind; readonly name: string; readonly path: readonly string[] },
): Promise<string> {
  return conditionOf(card, kind, { typed: name, spelled: await spelled(db, name), path });
}

/** An id of a label as the label's slug; any other text as it is. */
async function spelled(db: Db, text: string): Promise<{ text: string; kind?: LabelKind }> {
  const global = decodeGlobalId(text);
  const id = global !== undefined && ['Artist', 'Style', 'Genre'].includes(global.type) ? global.id : text;
  if (!/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(id)) return { text };
  const [row] = await labelsByIds(db, [id]);
  return row === undefined ? { text } : { text: row.slug, kind: row.kind };
}

type Spelled = Awaited<ReturnType<typeof spelled>>;

function oneLabel(card: ModelCard, { text, kind: only }: Spelled): Conditions {
  const kinds = only === undefined ? LABEL_KINDS : [only];
  for (const kind of kinds) {
    const slug = matchIn(card, kind, text);
    if (slug !== undefined) return { [kind]: slug };
  }
  const all = LABEL_KINDS.flatMap((kind) => card.labels[kind].map(({ name }) => name));
  throw unknownLabel(`This model knows no label "${text}".`, { typed: text, names: all, path: ['label'] });
}

interface AskedLabel {
  readonly typed: string;
  readonly spelled: Spelled;
  readonly path: readonly string[];
}

function conditionOf(card: ModelCard, kind: LabelKind, { path, ...asked }: AskedLabel): string {
  const names = card.labels[kind].map(({ name }) => name);
  if (names.length === 0) {
    const known = LABEL_KINDS.filter((other) => card.labels[other].length > 0).map((other) => `${other}s`);
    throw unknownLabel(`This model knows no ${kind}s, only ${known.join(' and ')}.`, { typed: '', names, path });
  }
  const { text, kind: of } = asked.spelled;
  const slug = of === undefined || of === kind ? matchIn(card, kind, text) : undefined;
  if (slug !== undefined) return slug;
  throw unknownLabel(`This model knows no ${kind} "${asked.typed}".`, { typed: text, names, path });
}

/** The slug of the label that is meant: an exact slug or name before a forgiving match. */
function matchIn(card: ModelCard, kind: LabelKind, text: string): string | undefined {
  const { exact, near } = spellingsOf(card, kind);
  return exact.get(text) ?? near.get(matchKey(text));
}

interface Spellings {
  readonly exact: ReadonlyMap<string, string>;
  readonly near: ReadonlyMap<string, string>;
}

/** Worked out once per card: a picture of 64 pixels is painted faster than a hundred names are made comparable. */
const spellings = new WeakMap<ModelCard, Map<LabelKind, Spellings>>();

function spellingsOf(card: ModelCard, kind: LabelKind): Spellings {
  const kinds = spellings.get(card) ?? new Map<LabelKind, Spellings>();
  spellings.set(card, kinds);
  const known = kinds.get(kind);
  if (known !== undefined) return known;
  const [exact, near] = [new Map<string, string>(), new Map<string, string>()];
  // The first label that is spelled like that is meant.
  for (const { slug, name } of card.labels[kind].toReversed()) {
    for (const text of [name, slug]) exact.set(text, slug);
    for (const key of [matchKey(name), matchKey(slug)]) if (key !== '') near.set(key, slug);
  }
  kinds.set(kind, { exact, near });
  return { exact, near };
}

function unknownLabel(message: string, place: { typed: string; names: string[]; path: readonly string[] }): AppError {
  const suggestions = didYouMean(place.typed.slice(0, 200), place.names);
  const near = suggestions.map((name) => `"${name}"`).join(', ');
  const lists = place.typed === '' ? '' : ' The query models lists the labels of each.';
  const hint = near === '' ? lists : ` Did you mean ${near}?`;
  return new AppError('UNKNOWN_LABEL', message.slice(0, 300) + hint, { path: place.path, suggestions });
}
