/** A moment in a time zone, in digits and in words. */
export interface ClockReading {
  readonly iso: string
  readonly zone: string
  readonly time: string
  readonly date: string
}

/** Reads the clock in an IANA time zone, or in the server's own. `undefined` if there is no such zone. */
export function readClock(place: string | undefined, now: Date = new Date()): ClockReading | undefined {
  const zone = place === undefined ? Intl.DateTimeFormat().resolvedOptions().timeZone : zoneOf(place)
  if (zone === undefined) return undefined
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone }).format(now)
  return {
    iso: now.toISOString(),
    zone,
    time: format({ timeStyle: 'short' }),
    date: format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
  }
}

/** `Europe/Oslo`, `oslo` and `New York` are all ways to name a zone. */
function zoneOf(place: string): string | undefined {
  const wanted = place.trim().toLowerCase().replaceAll(/\s+/g, '_')
  if (wanted === 'utc' || wanted === 'gmt') return 'UTC'
  return Intl.supportedValuesOf('timeZone').find((zone) => {
    const name = zone.toLowerCase()
    return name === wanted || name.endsWith(`/${wanted}`)
  })
}
