// Readers of the test runners' machine-readable results. Each turns a file's text into {passed, failed,
// skipped}, and throws when the text is not a whole result.

/** Catch2's `-r xml`, by test case. Its JSON would hold every assertion: hundreds of megabytes. */
export function catch2(text) {
  const totals = /<OverallResultsCases ([^>]*)\/>\s*<\/Catch2TestRun>\s*$/.exec(text)?.[1];
  if (totals === undefined) throw new Error('the test run did not end');
  const count = (name) => Number(new RegExp(`${name}="(\\d+)"`).exec(totals)?.[1] ?? 0);
  return { passed: count('successes') + count('expectedFailures'), failed: count('failures'), skipped: count('skips') };
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
