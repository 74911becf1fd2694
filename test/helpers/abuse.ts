/**
 * Operations that mean harm, as JSON that both transports carry: the checks of graphql-cop, and what fuzzers and attackers
 * send besides. Each with the code that it is refused with, over HTTP and over the WebSocket alike.
 */

export interface Abuse {
  readonly name: string;
  /** The request as it goes over the line. */
  readonly json: string;
  readonly code: string;
}

const abuse = (name: string, code: string, query: string, more: object = {}): Abuse => ({
  name,
  code,
  json: JSON.stringify({ query, ...more }),
});
const raw = (name: string, code: string, json: string): Abuse => ({ name, code, json });
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const joined = (n: number, make: (i: number) => string) => times(n, make).join(' ');

const CIRCLE =
  '{ __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }';
const INTROSPECTION = '{ __schema { types { name fields { name } } } }';

/** https://github.com/dolevf/graphql-cop, those of its checks that are operations. */
export const GRAPHQL_COP: readonly Abuse[] = [
  abuse(
    '101 aliases of __typename',
    'QUERY_TOO_COMPLEX',
    `query cop { ${joined(101, (i) => `alias${i}: __typename`)} }`,
  ),
  abuse('10 unknown directives', 'QUERY_TOO_COMPLEX', `query cop { __typename ${joined(10, () => '@aa')} }`),
  abuse('introspection in circles', 'GRAPHQL_VALIDATION_FAILED', `query cop ${CIRCLE}`),
  abuse('introspection', 'INTROSPECTION_DISABLED', `query cop ${INTROSPECTION}`),
  abuse('500 times the same field', 'QUERY_TOO_COMPLEX', `query cop { ${joined(500, () => '__typename')} }`),
  abuse('a field that it hopes to be told of', 'INTROSPECTION_DISABLED', 'query cop { __schema { directive } }'),
  abuse(
    'introspection in fragments that double and go round',
    'GRAPHQL_VALIDATION_FAILED',
    `{ __schema { ...f0 } } ${joined(13, (i) => `fragment f${i} on __Schema { ...f${i + 1} ...f${i + 1} }`)} fragment f13 on __Schema { ...f13 }`,
  ),
  abuse('no GraphQL', 'GRAPHQL_PARSE_FAILED', 'qwerty cop { abc }'),
];

const nested = (times: number, open: string, inner: string, braces = 1) =>
  `${open.repeat(times)}${inner}${'}'.repeat(times * braces)}`;
const circleOf = (artists: number) =>
  nested(artists, '{ nodes { artworks { nodes { artist { artworks ', '{ totalCount }', 5);
const bomb = (levels: number) =>
  `{ ...f0 } ${joined(levels, (i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`)} fragment f${levels} on Query { __typename }`;
const overlaps = (fragments: number) =>
  `{ ${joined(fragments, (i) => `...o${i}`)} } ${joined(fragments, (i) => `fragment o${i} on Query { artists(first: ${i + 1}) { totalCount } }`)}`;

/** Documents that are too large, too deep, or too many things at once. */
export const LARGE_DOCUMENTS: readonly Abuse[] = [
  abuse('51 levels', 'QUERY_TOO_COMPLEX', `{ artworks ${circleOf(10)} }`),
  abuse('600 levels of nothing that is known', 'QUERY_TOO_COMPLEX', nested(600, '{ a ', '{ a }')),
  abuse('10,000 fields', 'QUERY_TOO_COMPLEX', `{ ${joined(10_000, (i) => `f${i}`)} }`),
  abuse('3,000 fields in short', 'QUERY_TOO_COMPLEX', `{ ${joined(3_000, () => 'id')} }`),
  abuse('101 fields of one thing', 'QUERY_TOO_COMPLEX', `{ artists { nodes { ${joined(101, () => 'id')} } } }`),
  abuse(
    'repeated fields below repeated fields',
    'QUERY_TOO_COMPLEX',
    `{ ${joined(20, () => `artists { ${joined(20, () => 'totalCount')} }`)} }`,
  ),
  abuse('31 aliases of a page', 'QUERY_TOO_COMPLEX', `{ ${joined(31, (i) => `a${i}: artists { totalCount }`)} }`),
  abuse('fragments that double 28 times', 'QUERY_TOO_COMPLEX', bomb(28)),
  abuse('fragments that double 300 times', 'QUERY_TOO_COMPLEX', bomb(300)),
  abuse('a fragment of itself', 'GRAPHQL_VALIDATION_FAILED', '{ ...f } fragment f on Query { __typename ...f }'),
  abuse(
    'fragments in a circle',
    'GRAPHQL_VALIDATION_FAILED',
    '{ ...a } fragment a on Query { ...b } fragment b on Query { ...c } fragment c on Query { ...a }',
  ),
  abuse('25 fragments that contradict each other', 'GRAPHQL_VALIDATION_FAILED', overlaps(25)),
  abuse('61 fragments', 'QUERY_TOO_COMPLEX', overlaps(61)),
  abuse('directives on everything', 'QUERY_TOO_COMPLEX', `{ ${joined(31, () => '__typename @skip(if: false)')} }`),
  abuse(
    'directives on variables',
    'QUERY_TOO_COMPLEX',
    `query (${joined(31, (i) => `$v${i}: Int @aa`)}) { __typename }`,
  ),
  abuse(
    'a list in a list in a list',
    'QUERY_TOO_COMPLEX',
    `{ artists(where: { name: ${'['.repeat(999)}${']'.repeat(999)} }) { totalCount } }`,
  ),
  abuse('a text of 20,000 characters', 'QUERY_TOO_COMPLEX', `{ artist(slug: "${'x'.repeat(20_000)}") { id } }`),
  abuse('a comment of 20,000 characters', 'QUERY_TOO_COMPLEX', `{ __typename } #${'x'.repeat(20_000)}`),
  abuse(
    '100 operations',
    'OPERATION_RESOLUTION_FAILURE',
    joined(100, (i) => `query q${i} { __typename }`),
  ),
  abuse(
    'pages within pages within pages',
    'QUERY_TOO_COMPLEX',
    '{ artists(first: 100) { nodes { artworks(first: 100) { nodes { artist { generatedImages(first: 100) { nodes { id } } } } } } } }',
  ),
  abuse(
    'pages from the end within pages',
    'QUERY_TOO_COMPLEX',
    '{ artists(last: 100) { edges { node { artworks(last: 100) { edges { node { id title } } } } } } }',
  ),
  abuse(
    '64 pictures, four times',
    'QUERY_TOO_COMPLEX',
    `{ ${joined(4, (i) => `g${i}: generate(n: 64) { dataUri }`)} }`,
  ),
  abuse(
    'the most costly by a variable',
    'QUERY_TOO_COMPLEX',
    'query ($n: Int!) { artists(first: $n) { nodes { artworks(first: $n) { nodes { id title url } } } } }',
    { variables: { n: 100 } },
  ),
];

/** Requests that are not what they should be. */
export const BAD_REQUESTS: readonly Abuse[] = [
  abuse('no query', 'BAD_REQUEST', ''),
  abuse('nothing but blanks', 'BAD_REQUEST', ' \n\t '),
  abuse('a comment alone', 'GRAPHQL_PARSE_FAILED', '# nothing'),
  abuse('a byte order mark and noise', 'GRAPHQL_PARSE_FAILED', '\ufeff\u0000\u0001'),
  abuse('half a surrogate', 'GRAPHQL_PARSE_FAILED', '{ artist(slug: "\ud800") { id } }'),
  abuse('a name of 19,000 letters', 'GRAPHQL_VALIDATION_FAILED', `{ ${'x'.repeat(19_000)} }`),
  abuse('a word of 19,000 letters', 'GRAPHQL_PARSE_FAILED', 'x'.repeat(19_000)),
  abuse('a schema', 'GRAPHQL_VALIDATION_FAILED', 'type Query { a: Int } query { __typename }'),
  abuse('an operation that is not there', 'OPERATION_RESOLUTION_FAILURE', 'query a { __typename }', {
    operationName: 'b',
  }),
  abuse('an operation with the name of a prototype', 'OPERATION_RESOLUTION_FAILURE', 'query a { __typename }', {
    operationName: '__proto__',
  }),
  abuse('two operations without names', 'GRAPHQL_VALIDATION_FAILED', '{ __typename } { __typename }'),
  abuse(
    'two operations and no choice',
    'OPERATION_RESOLUTION_FAILURE',
    'query a { __typename } query b { __typename }',
  ),
  abuse('variables nested 100 times', 'BAD_REQUEST', '{ __typename }', {
    variables: times(100, () => 0).reduce<object>((inner) => ({ inner }), {}),
  }),
  raw(
    'variables nested 100,000 times',
    'BAD_REQUEST',
    `{"query":"{ __typename }","variables":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
  ),
  raw(
    'extensions nested 30,000 times',
    'BAD_REQUEST',
    `{"query":"{ __typename }","extensions":${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}}`,
  ),
  raw(
    'a hash that is none',
    'BAD_REQUEST',
    '{"query":"","extensions":{"persistedQuery":{"version":1,"sha256Hash":"../../etc/passwd"}}}',
  ),
  raw(
    'the hash of another query',
    'BAD_REQUEST',
    `{"query":"{ __typename }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'0'.repeat(64)}"}}}`,
  ),
  raw(
    'a hash that nobody has sent',
    'PERSISTED_QUERY_NOT_FOUND',
    `{"query":"","extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'a'.repeat(64)}"}}}`,
  ),
  raw('the last of two queries', 'GRAPHQL_VALIDATION_FAILED', '{"query":"{ __typename }","query":"{ nothing }"}'),
];

const ARTIST = 'query ($slug: String!) { artist(slug: $slug) { id } }';
const GENERATE =
  'query ($n: Int!, $seed: Seed, $truncation: Float! = 1) { generate(n: $n, seed: $seed, truncation: $truncation) { id } }';
const WHERE = 'query ($where: LabelWhere) { artists(where: $where) { totalCount } }';
const given = (name: string, query: string, variables: string, code = 'BAD_USER_INPUT') =>
  raw(name, code, `{"query":${JSON.stringify(query)},"variables":${variables}}`);

/** Values of variables that no type takes, or no field. */
export const BAD_VARIABLES: readonly Abuse[] = [
  given('a number for a text', ARTIST, '{"slug":1}'),
  given('a list for a text', ARTIST, '{"slug":["a","b"]}'),
  given('an object for a text', ARTIST, '{"slug":{"$ne":null}}'),
  given('null for what must be there', ARTIST, '{"slug":null}'),
  given('nothing for what must be there', ARTIST, '{}'),
  given('U+0000 in a text', ARTIST, '{"slug":"a\\u0000b"}', 'INVALID_INPUT'),
  given('1e400 for a whole number', GENERATE, '{"n":1e400}'),
  given('2^31 for a whole number', GENERATE, '{"n":2147483648}'),
  given('half a picture', GENERATE, '{"n":0.5}'),
  given('a text for a number', GENERATE, '{"n":"8"}'),
  given('200,000 characters for a number', GENERATE, `{"n":"${'8'.repeat(200_000)}"}`),
  given('no pictures', GENERATE, '{"n":0}', 'INVALID_INPUT'),
  given('fewer than none', GENERATE, '{"n":-1}', 'INVALID_INPUT'),
  given('10^9 pictures', GENERATE, '{"n":1000000000}', 'INVALID_INPUT'),
  given('a seed of 2^53 + 1', GENERATE, '{"n":1,"seed":9007199254740993}'),
  given('a seed below zero', GENERATE, '{"n":1,"seed":-1}'),
  given('an endless truncation', GENERATE, '{"n":1,"truncation":-1e400}'),
  given('a truncation of 1e308', GENERATE, '{"n":1,"truncation":1e308}', 'INVALID_INPUT'),
  given('a field by the name of a prototype', WHERE, '{"where":{"__proto__":{"isAdmin":true}}}'),
  given('a constructor for a field', WHERE, '{"where":{"constructor":{"prototype":{"isAdmin":true}}}}'),
  given('a field that the input lacks', WHERE, '{"where":{"nmae":"x"}}'),
  given('100 fields that the input lacks', WHERE, `{"where":{${times(100, (i) => `"f${i}":1`).join(',')}}}`),
];

export const ABUSES: readonly Abuse[] = [...GRAPHQL_COP, ...LARGE_DOCUMENTS, ...BAD_REQUESTS, ...BAD_VARIABLES];

/** The production-like settings: NODE_ENV=production, or any HOST but this machine's, has the same effect. */
export const PRODUCTION = { INTROSPECTION: 'off', SUGGESTIONS: 'off', EXPLORER: 'off' } as const;
