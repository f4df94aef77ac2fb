import type { Certificate } from './certificate.ts'

const colours = { durable: '#0a7d33', concurrent: '#2d8a4e', core: '#7a8b2d', none: '#9e9e9e' } as const

/** What the store reached, as an SVG for a README. */
export function toBadge({ verdict, level, contract }: Certificate): string {
  const label = `daybook ${contract}`
  const reached = level === 'none' ? verdict : level
  const colour = verdict === 'failed' ? '#b3261e' : colours[level]
  const [left, right] = [label, reached].map((text) => Math.round(text.length * 6.5) + 12)
  const [l = 0, r = 0] = [left, right]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${l + r}" height="20" role="img" aria-label="${label}: ${reached}">
<rect width="${l}" height="20" fill="#444"/><rect x="${l}" width="${r}" height="20" fill="${colour}"/>
<g fill="#fff" text-anchor="middle" font-family="Verdana,sans-serif" font-size="11"><text x="${l / 2}" y="14">${label}</text><text x="${l + r / 2}" y="14">${reached}</text></g>
</svg>
`
}
