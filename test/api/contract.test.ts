/** What clients rely on: the emitted schema keeps every promise of the contract, is the committed one, and fits what we show. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSchema, findBreakingChanges, type GraphQLSchema, parse, validate } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { printedSchema } from '../../src/resolvers/print.ts';
import { makeSchema } from '../../src/resolvers/schema.ts';
import { operation } from '../helpers/api.ts';

const folder = fileURLToPath(new URL('../../schema/', import.meta.url));
const text = (file: string) => readFileSync(`${folder}${file}`, 'utf8');
const operations = readdirSync(`${folder}operations`).map((file) => file.replace(/\.graphql$/, ''));

let schema: GraphQLSchema;

beforeAll(async () => {
  schema = await makeSchema();
});

describe('the schema', () => {
  it('takes nothing away from the contract', () => {
    const emitted = buildSchema(printedSchema(schema));
    expect(findBreakingChanges(buildSchema(text('contract.graphql')), emitted)).toEqual([]);
  });

  it('carries the descriptions of the contract', () => {
    const contract = buildSchema(text('contract.graphql'));
    const missing = Object.values(contract.getTypeMap()).filter(({ name, description }) => {
      const own = schema.getType(name)?.description ?? '';
      return !name.startsWith('__') && description && !own.includes(description);
    });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('is the committed one (npm run schema writes it)', () => {
    expect(text('schema.graphql')).toBe(printedSchema(schema));
  });

  it('is shown in the README by operations that lie in schema/operations, word for word', () => {
    const readme = readFileSync(`${folder}../README.md`, 'utf8');
    const shown = [...readme.matchAll(/^```graphql\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
    expect(shown.length).toBeGreaterThan(2);
    const files = new Set(operations.map(operation));
    expect(shown.filter((code) => code === undefined || !files.has(code))).toEqual([]);
  });

  it.each(operations)('takes the operation %s that we show', (name) => {
    expect(validate(schema, parse(operation(name)))).toEqual([]);
  });
});
