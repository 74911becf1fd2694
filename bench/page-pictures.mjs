// The parts of docs/benchmarks.md about the service: pictures served, kept and packed.
import { fixed, grouped, percent, table, where } from './markdown.mjs';

/** @param {any} result */
export const serving = (result) => `## Serving pictures

The starter model, 64 px, over HTTP and GraphQL to a PNG with its SHA-256, against the engine alone, which painted
${fixed(result.raw16, 0)} pictures a second in batches of 16. Engine and API have a core each; on two cores the clients share them. The
median of the rounds, each beside the engine's own of the same minute. \`npm run bench:serve\`. ${where(result)}

${table(
  ['', 'measured'],
  [
    ["of the engine's pictures a second, 16 in a request", percent(result.kept16)],
    ["of the engine's pictures a second, 64 in a request", percent(result.kept64)],
    ['added to a single picture on an idle server', `${fixed(result.addedP50Ms, 1)} ms`],
    ['pictures a second of 16 clients, × one client', fixed(result.gain16Clients)],
    ['of the peak, at twice what can be painted', percent(result.overloadShare)],
    ['a refusal then, 99 %', `${fixed(result.refusedP99Ms, 0)} ms`],
    ['encoding, of a request for 16', percent(result.encodeShare)],
  ],
)}

The engine paints 16 pictures together 1.5 to 1.9 times as fast as one after the other; the rest of what many clients gain is
that it works while the API does.
`;

/** @param {any} result */
export const generating = (result) => `## A hundred thousand pictures

${grouped(result.pictures)} pictures in requests of all sizes, after the caches were full: for each 10,000 the API's process grew by
${fixed(result.apiMiBPer10000, 1)} MiB and the engine's by ${fixed(result.engineMiBPer10000, 1)} MiB. Open files: ${result.filesBefore} before, ${result.filesAfter} after. The disk cache, limited to
${result.cacheLimitMiB} MiB, held ${result.cacheMostMiB} MiB at most. \`npm run bench:generations\`. ${where(result)}
`;

/** @param {any} result */
export const jobs = (result) => `## A job that is killed

A job of ${grouped(result.pictures)} pictures whose server is killed ${result.kills} times (\`kill -9\`): ${result.missing} missing, ${result.doubled} doubled, ${result.damaged} damaged, in
${fixed(result.seconds, 0)} s. \`npm run bench:job-kills\`. ${where(result)}
`;

/** @param {any} result */
export function galleries({ pictures, ...result }) {
  const row = (/** @type {string} */ what, /** @type {any} */ p99) => [
    what,
    ...['pglite', 'pgliteHttp', 'postgres', 'postgresHttp'].map((side) => fixed(p99[side], 0)),
  ];
  return `## A gallery of ${grouped(pictures)} pictures

Milliseconds within which 99 % of the answers came, by the functions of the store and by GraphQL over HTTP.
\`npm run bench:gallery\`. ${where(/** @type {any} */ (result))}

${table(
  ['', 'embedded, store', 'embedded, HTTP', 'PostgreSQL, store', 'PostgreSQL, HTTP'],
  [
    row('pages', result.pages),
    row('filters', result.filters),
    row('facets', result.facets),
    row('lengths', result.counts),
  ],
)}
`;
}
