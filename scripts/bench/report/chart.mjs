// The chart beside docs/benchmarks.md: bars of the ratios, a group of bars per case. Its colours fit light and dark pages.
import { entriesOf, groups, ratioOf, rowsOf } from './results.mjs';

const escaped = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const labelWidth = 330;
const plotWidth = 480;
const width = labelWidth + plotWidth + 100;
const barHeight = 8;
const caseGap = 8;

const style = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .line { stroke: #8c959f; stroke-width: 1 }
  .even { stroke: #cf222e; stroke-dasharray: 4 3 }
  .host0 { fill: #0969da } .host1 { fill: #8250df }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .line { stroke: #6e7681 }
    .even { stroke: #ff7b72 }
    .host0 { fill: #58a6ff } .host1 { fill: #bc8cff }
  }`;

/** SVG of a run's ratios of the reported engine. */
export function chart({ results, engine, baseline }) {
  const ratios = results.flatMap((host) => host.entries.map(({ row }) => ratioOf(host, row.name, engine)));
  const longest = Math.max(2, Math.ceil(Math.max(...ratios)));
  const x = (ratio) => labelWidth + (ratio / longest) * plotWidth;
  const parts = [];
  let y = 44;
  for (const [group, title] of groups.filter(([name]) => results.some((host) => entriesOf(host, name).length > 0))) {
    parts.push(`<text class="title" x="8" y="${y + 4}">${title}</text>`);
    y += 18;
    for (const row of rowsOf(results, group)) {
      const height = results.length * barHeight;
      parts.push(`<text x="${labelWidth - 8}" y="${y + height / 2 + 4}" text-anchor="end">${escaped(row.label)}</text>`);
      for (const [i, host] of results.entries()) {
        const ratio = ratioOf(host, row.name, engine);
        if (ratio === undefined) continue;
        parts.push(`<rect class="host${i}" x="${labelWidth}" y="${y + i * barHeight}" width="${(x(ratio) - labelWidth).toFixed(1)}" height="${barHeight - 1}"><title>${escaped(`${row.label}, ${host.label}: ${ratio.toFixed(2)}x`)}</title></rect>`);
      }
      const known = results.map((host) => ratioOf(host, row.name, engine)).filter((ratio) => ratio !== undefined);
      const end = x(Math.max(...known)) + 6;
      parts.push(`<text x="${end.toFixed(1)}" y="${y + height / 2 + 4}">${known.map((ratio) => `${ratio.toFixed(2)}x`).join(' ')}</text>`);
      y += height + caseGap;
    }
    y += 14;
  }
  const grid = Array.from({ length: longest + 1 }, (_, i) =>
    `<line class="${i === 1 ? 'even' : 'line'}" x1="${x(i)}" x2="${x(i)}" y1="36" y2="${y - 14}" opacity="${i === 1 ? 1 : 0.35}"/><text x="${x(i)}" y="${y + 2}" text-anchor="middle">${i}x</text>`);
  const legend = results.map(({ label }, i) => `<rect class="host${i}" x="${labelWidth + i * 240}" y="12" width="10" height="10"/><text x="${labelWidth + i * 240 + 16}" y="21">${escaped(label.replace(/ \(.*/, ''))}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 14}" viewBox="0 0 ${width} ${y + 14}" role="img">
<title>Times as fast as ${escaped(baseline)}</title>
<style>${style}
</style>
${[...grid, ...legend, ...parts].join('\n')}
</svg>
`;
}
