// Numbers and tables as Markdown.
export const ms = (value) => (value < 1 ? value.toFixed(3) : value < 100 ? value.toFixed(1) : value.toFixed(0));
export const kib = (bytes) => (bytes / 1024).toFixed(1);
export const mib = (bytes) => (bytes === undefined ? '' : (bytes / 2 ** 20).toFixed(0));
export const times = (ratio) => (ratio === undefined ? '' : `${ratio.toFixed(2)}x`);
export const percent = (share) => (share === undefined ? '' : `${(100 * share).toFixed(0)} %`);

const row = (cells) => `| ${cells.join(' | ')} |`;

/** A table whose first `left` columns are texts and the others numbers. */
export const table = (head, rows, left = 1) =>
  [row(head), row(head.map((_, i) => (i < left ? '---' : '---:'))), ...rows.map(row)].join('\n');
