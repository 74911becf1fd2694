// What a new schema would break for clients of the last release (docs/api.md tells them what they can rely on).
import {
  DangerousChangeType,
  findBreakingChanges,
  findDangerousChanges,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
} from 'graphql';

/** Clients that ask for what they know are not hurt by more of it, but by another meaning of what they have sent before. */
const HARMFUL = [DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE];
/** Int and its like are there whether they are used or not. */
const BUILT_IN = /^Standard scalar /;
const GOES = /\bGoes (?:after|on) (\d{4}-\d{2}-\d{2})\b/;

/**
 * @param {import('graphql').GraphQLSchema} released
 * @param {import('graphql').GraphQLSchema} current
 * @param {Date} today
 * @returns {string[]} what may not be released, one sentence each
 */
export function faultsBetween(released, current, today) {
  const harmful = findDangerousChanges(released, current).filter(({ type }) => HARMFUL.includes(type));
  const announced = announcedRemovals(released, today);
  const broken = findBreakingChanges(released, current).filter(
    ({ type, description }) =>
      !BUILT_IN.test(description) &&
      !(/_REMOVED/.test(type) && announced.some((place) => namesPlace(description, place))),
  );
  return [...broken, ...harmful, ...undated(current)].map(({ description }) => description);
}

/** Graphql-js writes the place into the sentence: "Query.old was removed.", "WARM was removed from enum type Mood." */
function namesPlace(/** @type {string} */ description, /** @type {Place} */ { type, name }) {
  return (
    description.startsWith(`${type}.${name} `) || description.startsWith(`${name} was removed from enum type ${type}.`)
  );
}

/** @typedef {{ type: string, name: string, reason: string }} Place */

/** What is marked as deprecated. @param {import('graphql').GraphQLSchema} schema @returns {Place[]} */
function deprecated(schema) {
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    const parts = isEnumType(type)
      ? type.getValues()
      : isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)
        ? Object.values(type.getFields())
        : [];
    return parts.flatMap(({ name, deprecationReason: reason }) =>
      reason === undefined || reason === null ? [] : [{ type: type.name, name, reason }],
    );
  });
}

/** Those whose day has come. @param {import('graphql').GraphQLSchema} released @param {Date} today */
function announcedRemovals(released, today) {
  return deprecated(released).filter(({ reason }) => {
    const [, day] = GOES.exec(reason) ?? [];
    return day !== undefined && new Date(day) < today;
  });
}

/** A deprecation that does not say what to use, or until when, helps nobody. @param {import('graphql').GraphQLSchema} schema */
function undated(schema) {
  return deprecated(schema)
    .filter(({ reason }) => !GOES.test(reason) || !/\bUse\b/.test(reason))
    .map(({ type, name }) => ({
      description: `${type}.${name} is deprecated: its reason must say "Use … Goes after YYYY-MM-DD."`,
    }));
}
