// What client/ knows of the schema, as TypeScript: typed documents, and what its cache needs.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as documentNodes from '@graphql-codegen/typed-document-node';
import * as operationTypes from '@graphql-codegen/typescript-operations';
import { buildASTSchema, getNamedType, isAbstractType, isObjectType, parse } from 'graphql';
import { root } from './paths.mjs';

const HEADER = '/** Made from the schema by `npm run client:documents`; not to be edited by hand. */\n';
const OPERATIONS = ['schema/operations', 'client/operations'];

/** As Apollo advises: https://www.apollographql.com/docs/react/development-testing/graphql-codegen */
const CONFIG = {
  useTypeImports: true,
  immutableTypes: true,
  nonOptionalTypename: true,
  skipTypeNameForRoot: true,
  enumType: 'string-literal',
  // A scalar that is not named here ends the generation, so that none becomes `any`.
  strictScalars: true,
  defaultScalarType: 'unknown',
  scalars: { ID: 'string', DateTime: 'string', URL: 'string', Seed: 'number', JSON: 'unknown' },
};

/** @returns {Promise<ReadonlyMap<string, string>>} the text of each file, by its path in the project */
export async function clientFiles() {
  const schema = parse(readFileSync(join(root, 'schema', 'schema.graphql'), 'utf8'));
  return new Map([
    ['client/src/documents.ts', await documentsOf(schema)],
    ['client/src/schema-facts.ts', factsOf(buildASTSchema(schema))],
  ]);
}

/** @param {import('graphql').DocumentNode} schema */
async function documentsOf(schema) {
  const text = await codegen({
    filename: 'documents.ts',
    schema,
    documents: OPERATIONS.flatMap(operationsIn),
    config: CONFIG,
    plugins: [{ types: {} }, { nodes: {} }],
    pluginMap: { types: operationTypes, nodes: documentNodes },
  });
  const lines = text.trim().split('\n');
  const isImport = (/** @type {string} */ line) => line.startsWith('import ');
  return [HEADER, ...lines.filter(isImport), '', ...lines.filter((line) => !isImport(line)), ''].join('\n');
}

/** @param {string} folder */
function operationsIn(folder) {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.graphql'));
  return names.sort().map((name) => {
    const text = readFileSync(join(root, folder, name), 'utf8');
    return { location: `${folder}/${name}`, document: parse(text, { noLocation: true }) };
  });
}

/** @param {import('graphql').GraphQLSchema} schema */
function factsOf(schema) {
  const types = Object.values(schema.getTypeMap()).sort((a, b) => (a.name < b.name ? -1 : 1));
  const possible = types
    .filter(isAbstractType)
    .filter(({ name }) => !name.startsWith('__'))
    .map(
      (type) =>
        /** @type {const} */ ([
          type.name,
          schema
            .getPossibleTypes(type)
            .map(({ name }) => name)
            .sort(),
        ]),
    );
  const connections = types
    .filter(isObjectType)
    .map((type) => /** @type {const} */ ([type.name, connectionsIn(type)]))
    .filter(([, fields]) => Object.keys(fields).length > 0);
  const streams = Object.values(schema.getSubscriptionType()?.getFields() ?? {}).map(
    ({ name, args }) => /** @type {const} */ ([name, args.map((one) => one.name).filter(isOfAnswer)]),
  );
  const constant = (/** @type {string} */ what, /** @type {string} */ name, /** @type {object} */ value) =>
    `/** ${what} */\nexport const ${name}: ${TYPES[name]} = ${JSON.stringify(value, null, 2)};\n`;
  return [
    HEADER,
    constant('The types that each interface stands for.', 'possibleTypes', Object.fromEntries(possible)),
    constant(
      'Fields that come in pages, by type: the arguments that say which list it is.',
      'connectionFields',
      Object.fromEntries(connections),
    ),
    constant('Subscriptions: the arguments that say which stream it is.', 'streamFields', Object.fromEntries(streams)),
  ].join('\n');
}

/** @type {Record<string, string>} */
const TYPES = {
  possibleTypes: 'Record<string, string[]>',
  connectionFields: 'Record<string, Record<string, string[]>>',
  streamFields: 'Record<string, string[]>',
};

/** @param {import('graphql').GraphQLObjectType} type */
function connectionsIn(type) {
  const fields = Object.values(type.getFields()).filter(({ type }) => getNamedType(type).name.endsWith('Connection'));
  return Object.fromEntries(fields.map(({ name, args }) => [name, args.map((one) => one.name).filter(isOfAnswer)]));
}

/** Where in a list or stream one begins, and how much of it one takes, makes no other list of it. @param {string} name */
function isOfAnswer(name) {
  return !['first', 'after', 'last', 'before', 'minIntervalMs'].includes(name);
}
