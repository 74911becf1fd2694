/** A picture does not depend on how many are painted with it, whatever the processor can do and TensorFlow makes of it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../helpers/paint-batches.ts', import.meta.url));
const run = promisify(execFile);

/** With oneDNN's kernels and with TensorFlow's own, as on processors with and without AVX-512, and on one core. */
const machines = [
  {},
  { TF_ENABLE_ONEDNN_OPTS: '0' },
  { ONEDNN_MAX_CPU_ISA: 'AVX2' },
  { TF_ENABLE_ONEDNN_OPTS: '0', ONEDNN_MAX_CPU_ISA: 'AVX2' },
  { ONEDNN_MAX_CPU_ISA: 'SSE41' },
  { TF_NUM_INTRAOP_THREADS: '1' },
];

it.each(machines)('paints a picture alike in a batch of any size: %o', { timeout: 120_000 }, async (machine) => {
  const env = { ...process.env, ...machine };
  const { stdout } = await run(process.execPath, ['--import', 'tsx', PROGRAM], { env });
  expect(JSON.parse(stdout)).toEqual({
    ...{ 'studio 16': [], 'studio 24': [], 'studio 64': [] },
    ...{ 'icip2017 12': [], 'tip2019 6': [] },
  });
});
