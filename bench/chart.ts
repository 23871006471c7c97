import { type OperationId, operationIds } from './operations.js';
import { type Results, ratio } from './report.js';
import { type SystemId, systemIds } from './systems.js';

const width = 760;
const left = 150;
const right = 150;
const bar = 16;
const step = 22;
const top = 82;
const groupGap = 34;
/** Bars longer than this are cut, so that one slow system does not flatten the others. */
const longest = 5;

const style = `
  text { font: 13px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { fill: #59636e; font-size: 12px; }
  .group { font-weight: 600; }
  .line { stroke: #59636e; stroke-dasharray: 3 3; }
  .canopy { fill: #1a7f4b; } .postgraphile { fill: #8c959f; } .naive { fill: #c9d1d9; } .floor { fill: #c9d1d9; }
  .own { font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .quiet { fill: #9198a1; } .line { stroke: #9198a1; }
    .canopy { fill: #3fb97a; } .postgraphile { fill: #768390; } .naive { fill: #444c56; } .floor { fill: #444c56; }
  }`;

/** The comparison as a bar chart: CPU of each system as a multiple of PostGraphile's. Readable on light and dark pages. */
export function chart(results: Results): string {
  const scale = (width - left - right) / Math.min(longest, Math.max(1.2, ...ratios(results)));
  const parts: string[] = [];
  let y = top;
  for (const operation of operationIds) {
    const rows = systemIds.filter((system) => ratio(results, operation, system) !== null);
    if (rows.length === 0) continue;
    parts.push(text(16, y + 12, operation, 'group'));
    y += step;
    for (const system of rows) {
      parts.push(row(results, operation, system, y, scale));
      y += step;
    }
    y += groupGap - step;
  }
  const height = y + 8;
  const one = left + scale;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="CPU per request, as a multiple of PostGraphile">
<style>${style}
</style>
${text(16, 24, 'CPU per request of the server process, PostGraphile 5 = 1', 'title')}
${text(16, 43, `Shorter is better. ${results.nodes.toLocaleString('en')} nodes, ${results.concurrency} requests at a time.`, 'quiet')}
${text(16, 60, 'Canopy with authentication, visibility, limits, log, events and audit; the others without.', 'quiet')}
<line class="line" x1="${one}" x2="${one}" y1="${top - 6}" y2="${height - 10}"/>
${parts.join('\n')}
</svg>
`;
}

function ratios(results: Results): number[] {
  return operationIds.flatMap((operation) => systemIds.map((system) => ratio(results, operation, system) ?? 0));
}

function row(results: Results, operation: OperationId, system: SystemId, y: number, scale: number): string {
  const times = ratio(results, operation, system) ?? 0;
  const length = Math.max(1, Math.min(times, longest) * scale);
  const cpu = results.operations[operation]?.[system]?.cpuMs ?? 0;
  const value = `${times > longest ? '→ ' : ''}${times.toFixed(2)} × (${cpu.toFixed(cpu < 1 ? 3 : 1)} ms)`;
  const own = system === 'canopy' ? 'own' : '';
  return [
    text(left - 10, y + 12, results.labels[system] ?? system, own, 'end'),
    `<rect class="${system}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${bar}" rx="2"/>`,
    text(width - right + 10, y + 12, value, own || 'quiet'),
  ].join('\n');
}

function text(x: number, y: number, content: string, name: string, anchor = 'start'): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" class="${name}" text-anchor="${anchor}">${escaped}</text>`;
}
