// A node:test reporter that writes {"passed", "failed", "skipped"} as JSON. Suites are not counted.

export default async function* counts(source) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    // Node 20 reports a file that died as a test of the file's name; one that ran is not reported.
    if (data.skip !== undefined || data.todo !== undefined) total.skipped += 1;
    else if (type === 'test:pass') total.passed += 1;
    else total.failed += 1;
  }
  yield JSON.stringify(total);
}
