import { expect, test } from 'vitest';

interface File {
  status: string;
  assertionResults: { status: string }[];
}
type CountTests = (
  report: { testResults: File[] } | undefined,
  code: number,
) => { passed: number; failed: number; skipped: number };
const { countTests }: { countTests: CountTests } = await import(
  new URL('../../scripts/lib/test-count.mjs', import.meta.url).href
);

const file = (status: string, ...tests: string[]): File => ({
  status,
  assertionResults: tests.map((result) => ({ status: result })),
});

test('counts what vitest reports', () => {
  const report = { testResults: [file('passed', 'passed', 'skipped', 'todo'), file('failed', 'failed', 'passed')] };
  expect(countTests(report, 1)).toEqual({ passed: 2, failed: 1, skipped: 2 });
});

test('a file that broke before its tests is a failure', () => {
  expect(countTests({ testResults: [file('failed'), file('passed', 'passed')] }, 1)).toEqual({
    passed: 1,
    failed: 1,
    skipped: 0,
  });
});

test('a run that failed without a failed test is a failure', () => {
  expect(countTests({ testResults: [file('passed', 'passed')] }, 1).failed).toBe(1);
  expect(countTests(undefined, 0).failed).toBe(1);
});

test('nothing found is nothing passed', () => {
  expect(countTests({ testResults: [] }, 1)).toEqual({ passed: 0, failed: 0, skipped: 0 });
});
