/** What looks like a secret: the user part of a URL up to its last `@`, since a password may have one or a quote, and the value behind a name such as `password=`. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@'"]*):\S*@/gi, '$1:***@'],
  [
    /\b((?:[a-z]*[_-])?(?:password|passwd|pwd|secret|token|auth[_-]?token|api[_-]?key))(["']?\s*[:=]\s*["']?)[^\s"',;&}]+/gi,
    '$1$2***',
  ],
]

/** Text without the secrets that a driver or a store may have put into it. Certificates are published. */
export const redactText = (text: string): string =>
  patterns.reduce((sum, [pattern, replacement]) => sum.replaceAll(pattern, replacement), text)

/** A JSON value with every string in it redacted; keys stay. */
export function redact<T>(value: T): T {
  if (typeof value === 'string') return redactText(value) as typeof value // a string for a string
  if (Array.isArray(value)) return value.map((item: unknown) => redact(item)) as typeof value // an array for an array
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]: [string, unknown]) => [name, redact(member)])
  return Object.fromEntries(members) as typeof value // the same members
}
