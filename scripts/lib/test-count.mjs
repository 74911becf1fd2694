// From vitest's JSON report to three numbers.

/**
 * @typedef {{ status: string, assertionResults: { status: string }[] }} FileResult
 */

/**
 * A file that broke outside of its tests counts as one failure; so does a run that failed with no failed test, or that
 * ended before it wrote its report.
 * @param {{ testResults: FileResult[] } | undefined} report
 * @param {number} code  vitest's exit code
 */
export function countTests(report, code) {
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const tests = report.testResults.flatMap((file) => file.assertionResults.map(({ status }) => status));
  const failedTests = tests.filter((status) => status === 'failed').length;
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  ).length;
  const passed = tests.filter((status) => status === 'passed').length;
  const failed = failedTests + brokenFiles;
  return {
    passed,
    failed: failed === 0 && passed > 0 && code !== 0 ? 1 : failed,
    skipped: tests.length - passed - failedTests,
  };
}
