/** What a user asks for by name, as the conditions that a model knows: forgiving, with a did-you-mean. */
import { AppError } from '../core/errors.ts';
import { decodeGlobalId } from '../core/global-id.ts';
import { type Conditions, didYouMean, LABEL_KINDS, type LabelKind, matchKey } from '../core/labels.ts';
import type { ModelCard } from '../core/model-card.ts';
import type { Db } from '../store/db.ts';
import { labelsByIds } from '../store/labels.ts';

export interface ConditionsRequest {
  /** One label of any kind: slug, name or id. */
  readonly label?: string | null | undefined;
  /** One label per kind: each by slug, name or id. */
  readonly conditions?: { readonly [K in LabelKind]?: string | null | undefined } | null | undefined;
}

/**
 * The conditions of a request; empty where nothing was asked for and the model can paint so.
 * @throws AppError UNKNOWN_LABEL with suggestions, or INVALID_INPUT.
 */
export async function resolveConditions(db: Db, card: ModelCard, request: ConditionsRequest): Promise<Conditions> {
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
    conditions[kind] = conditionOf(card, kind, { typed: text, spelled: await spelled(db, text) });
  }
  return conditions;
}

/** Whether a model knows all of these slugs: a recipe from outside may name others. */
export function knowsConditions(card: ModelCard, conditions: Conditions): boolean {
  const asked = LABEL_KINDS.filter((kind) => conditions[kind] !== undefined);
  if (asked.length === 0) return card.config.labelDropout > 0;
  return asked.every((kind) => card.labels[kind].some(({ slug }) => slug === conditions[kind]));
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

function conditionOf(card: ModelCard, kind: LabelKind, asked: { typed: string; spelled: Spelled }): string {
  const path = ['conditions', kind];
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
  const labels = card.labels[kind];
  const key = matchKey(text);
  const exact = labels.find(({ slug, name }) => slug === text || name === text);
  const near =
    key === '' ? undefined : labels.find((label) => matchKey(label.slug) === key || matchKey(label.name) === key);
  return (exact ?? near)?.slug;
}

function unknownLabel(message: string, place: { typed: string; names: string[]; path: string[] }): AppError {
  const suggestions = didYouMean(place.typed.slice(0, 200), place.names);
  const near = suggestions.map((name) => `"${name}"`).join(', ');
  const lists = place.typed === '' ? '' : ' The query models lists the labels of each.';
  const hint = near === '' ? lists : ` Did you mean ${near}?`;
  return new AppError('UNKNOWN_LABEL', message.slice(0, 300) + hint, { path: place.path, suggestions });
}
