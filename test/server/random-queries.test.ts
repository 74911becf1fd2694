/**
 * Queries that a generator has made from the schema: all of them are valid, and whether the server takes one or refuses it,
 * it stays within its bounds. `npm run bench:random-queries` does the same with 10,000 of them.
 */
import { parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startTestApi, type TestApi } from '../helpers/api.ts';
import { cheapest } from '../helpers/cpu.ts';
import { RandomQueries, type RandomQuery } from '../helpers/random-query.ts';
import { valuesOf } from '../helpers/random-values.ts';
import { printedSchema } from '../helpers/schema.ts';

const SEED = 20_261;
const QUERIES = 400;
/** So that code is compiled before anything is measured. */
const WARM_UP = 60;
const MOST_ACCEPTED_MS = 250;
/** Of server and client together; that the server takes less than 10 of them is for the benchmark to show. */
const MOST_REFUSED_MS = 30;
/** What a valid query may be told. Faults of the server are none of these. */
const TOLD = ['INVALID_INPUT', 'UNKNOWN_LABEL', 'UNKNOWN_MODEL', 'NOT_FOUND', 'NO_LABELS'];

const schema = printedSchema();
let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.importColours(120);
  await api.train({ steps: 40 });
  const { generate } = await api.data('{ generate(label: "warm", n: 32, seed: 1) { id } }');
  await api.run('keep-images', { images: generate.map(({ id }: { id: string }) => id) });
});

afterAll(() => api?.[Symbol.asyncDispose]());

const codesIn = ({ errors }: Answer) => errors.map(({ extensions }) => extensions.code);
const isRefused = (answer: Answer) => codesIn(answer)[0] === 'QUERY_TOO_COMPLEX';

describe('random queries', () => {
  it('are valid, and the same for the same seed', async () => {
    const values = await valuesOf((query) => api.data(query));
    const [one, other] = [new RandomQueries(schema, SEED, values), new RandomQueries(schema, SEED, values)];
    for (let i = 0; i < 300; i++) {
      const { query } = one.next();
      expect(other.next().query).toBe(query);
      expect(validate(schema, parse(query)), query).toEqual([]);
    }
  });

  it('are answered within 250 ms of the processor, or refused within 30', { timeout: 180_000 }, async () => {
    const values = await valuesOf((query) => api.data(query));
    const queries = new RandomQueries(schema, SEED, values);
    for (let i = 0; i < WARM_UP; i++) {
      const { query, variables } = queries.next();
      await api.ask(query, variables);
    }
    const count = { accepted: 0, refused: 0 };
    for (let i = 0; i < QUERIES; i++) {
      const random = queries.next();
      if (await isAnsweredInTime(random)) count.accepted += 1;
      else count.refused += 1;
    }
    // Neither a server that refuses everything nor one that takes everything.
    expect(count.accepted).toBeGreaterThan(QUERIES / 4);
    expect(count.refused).toBeGreaterThan(QUERIES / 40);
  });
});

/** @returns whether it was accepted */
async function isAnsweredInTime({ query, variables }: RandomQuery): Promise<boolean> {
  let turn = 0;
  // A text of its own each time: one that is known is not validated again.
  const ask = () => api.ask(`${query} #${turn++}`, variables);
  const refused = isRefused(await ask());
  const most = refused ? MOST_REFUSED_MS : MOST_ACCEPTED_MS;
  const { answer, cpuMs } = await cheapest(ask, most);
  const asked = `${query} ${JSON.stringify(variables)}`;
  expect(cpuMs, asked).toBeLessThan(most);
  expect(isRefused(answer), asked).toBe(refused);
  if (!refused) for (const code of codesIn(answer)) expect(TOLD, asked).toContain(code);
  return !refused;
}
