// A run as a picture, light or dark as its reader is.
import { yardstick, type Line, type Run } from './result.ts'

const [width, left, right, bar, gap, head] = [760, 170, 60, 16, 4, 92]
const [least, most] = [0.5, 200]
const marks = [0.5, 1, 2, 5, 10, 20, 50, 100, 200]

/** Times the limit's, on a scale where twice as slow is always as far. */
function x(ratio: number): number {
  const share = Math.log(Math.min(most, Math.max(least, ratio)) / least) / Math.log(most / least)
  return Math.round((left + share * (width - left - right)) * 10) / 10
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const style = `text { font: 12px system-ui, sans-serif; fill: #24292f } .title { font-size: 15px; font-weight: 600 }
  .group { font-weight: 600 } .small { font-size: 11px; fill: #57606a } .ground { fill: #ffffff } .grid { stroke: #d0d7de }
  .limit { stroke: #24292f; stroke-width: 1.5 } .own { fill: #0969da } .other { fill: #8c959f }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .small { fill: #9198a1 } .ground { fill: #0d1117 }
  .grid { stroke: #30363d } .limit { stroke: #e6edf3 } .own { fill: #4493f8 } .other { fill: #656c76 } }`

/** How many times the limit's median the others take, where one works alone. */
export function chartOf(run: Run): string {
  const shown = run.lines.filter(
    ({ workload, contender, spread }) =>
      /^W[1-4]|^W[89]/.test(workload) && !contender.startsWith(yardstick) && spread !== undefined,
  )
  const ids = [...new Set(shown.map(({ workload }) => workload))]
  const parts: string[] = []
  let y = head
  for (const id of ids) {
    const lines = shown.filter(({ workload }) => workload === id)
    parts.push(`<text class="group" x="16" y="${y + 12}">${id} ${escaped(lines[0]?.title ?? '')}</text>`)
    y += 22
    for (const line of lines) {
      parts.push(barOf(line, y))
      y += bar + gap
    }
    y += 12
  }
  const height = y + 22
  const grid = marks.map(
    (mark) =>
      `<line class="${mark === 1 ? 'limit' : 'grid'}" x1="${x(mark)}" x2="${x(mark)}" y1="${head - 12}" y2="${y - 8}"/><text class="small" x="${x(mark)}" y="${y + 8}" text-anchor="middle">${mark}×</text>`,
  )
  const { product, date, machine } = run
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(product)}: time of one call, as a multiple of the limit's</title>
<style>${style}</style>
<rect class="ground" width="${width}" height="${height}" rx="6"/>
<text class="title" x="16" y="28">${escaped(product)}: median time of one call, as a multiple of the limit's</text>
<text class="small" x="16" y="47">1× is hand-written SQL on the bare driver, measured in turns in the same run. Shorter is faster; the scale is logarithmic.</text>
<text class="small" x="16" y="64">${escaped(`${date} · ${machine.processor}, ${machine.cores} cores · Node ${machine.node} · load average ${run.load.before[0] ?? ''} to ${run.load.after[0] ?? ''}`)}</text>
${grid.join('\n')}
${parts.join('\n')}
</svg>
`
}

function barOf({ contender, ratio = 0 }: Line, y: number): string {
  const [from, to] = [Math.min(x(1), x(ratio)), Math.max(x(1), x(ratio))]
  const shape = contender.startsWith('daybook') ? 'own' : 'other'
  return `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escaped(contender)}</text><rect class="${shape}" x="${from}" y="${y}" width="${Math.max(2, to - from)}" height="${bar}" rx="2"/><text x="${to + 6}" y="${y + 12}">${ratio.toFixed(ratio < 10 ? 2 : 1)}×</text>`
}
