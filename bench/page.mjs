// npm run bench:page: docs/benchmarks.md and its plots, from what the benchmarks have left in bench/results.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/lib/paths.mjs';
import { fixed, grouped, percent, table, where } from './markdown.mjs';
import { galleries, generating, jobs, serving } from './page-pictures.mjs';
import { bars, lines } from './plot.mjs';
import { resultOf } from './results.mjs';

const pictures = join(root, 'docs', 'pictures', 'bench');
mkdirSync(pictures, { recursive: true });

/** @param {string} name @param {string} content @param {string} alt */
function plot(name, content, alt) {
  writeFileSync(join(pictures, `${name}.svg`), content);
  return `![${alt}](pictures/bench/${name}.svg)`;
}

/** @param {any} result */
function training(result) {
  const { rows, generate } = result;
  const rates = rows.map((/** @type {any} */ row) => {
    const over = (/** @type {number | null} */ ratio) => (ratio === null ? null : row.picturesPerSecond / ratio);
    return {
      label: `width ${row.width}`,
      values: [
        row.picturesPerSecond,
        over(row.vsTfFunction),
        over(row.vsTorch),
        over(row.vsOwnEager),
        over(row.vsEager),
      ],
    };
  });
  const names = ['recorded', 'tf.function', 'PyTorch', 'our eager path', 'tfjs-node'];
  return `## A training step

The network of the ICIP 2017 paper at three widths: 64 px, batch 32, Adam, the L2 path. Every side runs in turn, in a process
of its own; ratios are ours over theirs, the median of the rounds. \`npm run bench:train\`. ${where(result)}

${plot('train', bars({ title: 'Training, pictures a second', names, groups: rates }), 'Training, pictures a second')}

${table(
  [
    'width',
    'pictures/s',
    '× tfjs-node',
    '× our own eager path',
    '× `tf.function`',
    '× PyTorch',
    'of the matrix-multiply rate',
  ],
  rows.map((/** @type {any} */ row) => [
    row.width,
    fixed(row.picturesPerSecond, 0),
    fixed(row.vsEager),
    fixed(row.vsOwnEager),
    fixed(row.vsTfFunction),
    fixed(row.vsTorch),
    percent(row.matmulShare),
  ]),
)}

"tfjs-node" is the same step as people write it: tfjs's own operations one after the other, \`tf.moments\` and \`tf.batchNorm\`,
\`tf.train.adam\` ([bench/sides/plain_step.mjs](../bench/sides/plain_step.mjs)). "Our own eager path" (\`ENGINE=eager\`) has this
project's fused kernels already.

## Painting

The generator of \`studio\`, 64 px, against the same one written with tfjs's operations
([plain_paint.mjs](../bench/sides/plain_paint.mjs)).

${table(
  ['width', 'pictures at once', 'pictures/s', '× tfjs-node', '× our own eager path'],
  generate.map((/** @type {any} */ row) => [
    row.width,
    row.n,
    fixed(row.picturesPerSecond, 0),
    fixed(row.vsEager),
    fixed(row.vsOwnEager),
  ]),
)}

Where a graph wins is where an operation is small: calling one from JavaScript costs about 20 µs, inside the graph half a
microsecond. Painting is few and large operations, so what is left to win is the mathematics: upsampling and convolution as
one, statistics folded into one product and one sum. Eight pictures at width 16 are 250 million products; at the rate at which
these cores multiply matrices they take 2 ms, so that 8 times tfjs-node cannot be had here, whatever is done.
`;
}

/** @param {any} result */
function scale(result) {
  const parts = Object.entries({
    width: ['channels', 'Width'],
    resolution: ['pixels', 'Resolution'],
    batch: ['pictures in a batch', 'Batch'],
  }).map(([name, [unit = '', title = '']]) => {
    const points = result[name].map((/** @type {any} */ point) => [String(point[name]), point.msPerStep]);
    const drawing = lines({ title: `${title}: milliseconds a step`, xLabel: unit, series: [{ name, points }] });
    return plot(`scale-${name}`, drawing, `${title}: milliseconds a step`);
  });
  return `## How a step grows

\`studio\` from 16 channels, 64 pixels and 16 pictures, one of them changed at a time. \`npm run bench:scale\`. ${where(result)}

${parts.join('\n\n')}
`;
}

/** @param {any} result */
const importing = (result) => `## Importing

${result.pictures} pictures decoded, cut, scaled to 32, 64 and 128 pixels and packed in ${fixed(result.seconds, 1)} s:
${fixed(result.picturesPerSecond, 0)} pictures, ${fixed(result.megabytesPerSecond, 1)} MB of files a second. \`npm run bench:import\`. ${where(result)}
`;

/** @param {any} result */
function soak({ training: trained, painting, ...result }) {
  const row = (/** @type {string} */ what, /** @type {any} */ use) => [
    what,
    `${use.firstMiB} MiB`,
    `${use.lastMiB} MiB`,
    `${(use.growth * 100).toFixed(1)} %`,
    `${use.fewestTensors} to ${use.mostTensors}`,
  ];
  return `## Memory

\`npm run bench:soak\`: a trainer for ${trained.minutes} minutes (${trained.steps} steps), then a generator for
${grouped(painting.pictures)} pictures (${painting.picturesPerSecond} a second). The mean of the first and of the last tenth,
after a tenth of warm-up; tensors as TensorFlow.js counts them between two steps. ${where(result)}

${table(['process', 'first', 'last', 'growth', 'tensors'], [row('trainer', trained), row('generator', painting)])}
`;
}

/** @param {any} result */
const watching = (result) => `## Many who watch

${grouped(result.sockets)} WebSockets that watch one run, against plain graphql-ws with graphql-js and a queue for each
watcher ([fan-out-plain.mjs](../bench/sides/fan-out-plain.mjs)): the same document, the same events, in turn in the same sitting.
One process serves, its clients are another; on our side writing the log to the database is counted, too.
\`npm run bench:fan-out\`. ${where(result)}

${table(
  ['', 'here', 'plain'],
  [
    ['deliveries a CPU second', result.deliveriesPerCpuSecond, result.plainDeliveriesPerCpuSecond],
    ['memory of a socket that waits, KB', result.kbPerIdleSocket, result.plainKbPerIdleSocket],
  ],
)}

To 2,000 sockets at 5 events a second, half of the events arrive within ${result.p50Ms} ms and 99 % within ${result.p99Ms} ms of their writing.
A hundred clients that ask for a history of 20,000 events and never read cost ${fixed(result.mibPerNonReader)} MiB each, and make the
others' 99 % ${result.p99BesideNonReadersMs} ms. After ${grouped(result.sockets)} have come and gone no listener is left, and the heap is
${result.heapKibAfterComeAndGo} KiB larger.
`;

/** @param {any} result */
const queries = (result) => `## Queries that nobody has thought of

${grouped(result.queries)} valid queries, made at random from the schema: ${grouped(result.accepted)} were within the limits and took at most
${result.maxAcceptedCpuMs} ms of the server's processor (99 %: ${result.p99AcceptedCpuMs} ms), and what the engine painted for them at most ${result.maxEngineCpuMs} ms of its
own. ${grouped(result.refused)} were refused, in ${result.maxRefusalMs} ms at most. \`npm run bench:random-queries\`. ${where(result)}
`;

/** @param {any} result */
const disconnects = (result) => `## Disconnects

A client that was cut off ${grouped(result.disconnects)} times, by turns over WebSocket, Server-Sent Events and multipart, while a run wrote
50 events a second: of ${grouped(result.events)} events ${result.lost} were lost and ${result.doubled} came twice. \`npm run bench:disconnects\`. ${where(result)}
`;

const parts = /** @type {const} */ ([
  ['train', training],
  ['scale', scale],
  ['import', importing],
  ['soak', soak],
  ['fan-out', watching],
  ['disconnects', disconnects],
  ['random-queries', queries],
  ['serve', serving],
  ['generations', generating],
  ['job-kills', jobs],
  ['gallery', galleries],
]).flatMap(([name, write]) => {
  const result = resultOf(name);
  return result === undefined ? [] : [write(result)];
});
const head = `# Benchmarks

Written by \`npm run bench:page\` from [bench/results](../bench/results); [bench/README.md](../bench/README.md) says how to run
them. How good the pictures are is another matter: [evaluation.md](evaluation.md).
`;
writeFileSync(join(root, 'docs', 'benchmarks.md'), [head, ...parts].join('\n'));
console.log('Wrote docs/benchmarks.md');
