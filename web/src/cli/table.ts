/** Rows under a head in columns; those in `left` begin at the left, others end at the right. */
export function table(head: readonly string[], rows: readonly string[][], left: readonly number[] = [0]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    row.map((text, i) => (left.includes(i) ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  ').trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
