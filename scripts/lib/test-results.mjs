// Readers of the test runners' machine-readable results. Each turns a file's text into {passed, failed,
// skipped}, and throws when the text is not a whole result.

/** Catch2's `-r json`, by test case. */
export function catch2(text) {
  const cases = JSON.parse(text)['test-run'].totals['test-cases'];
  return { passed: cases.passed + cases['fail-but-ok'], failed: cases.failed, skipped: cases.skipped };
}

/** scripts/lib/node-counts.mjs. */
export function nodeTest(text) {
  return JSON.parse(text);
}

/** Playwright's `--reporter=json`. A test that passed only at a second try has failed. */
export function playwright(text) {
  const { expected, unexpected, flaky, skipped } = JSON.parse(text).stats;
  return { passed: expected, failed: unexpected + flaky, skipped };
}
