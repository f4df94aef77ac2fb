import { StoreError } from '@daybook/core'

const formats = new Map<string, Intl.DateTimeFormat>()

/** Refuses a zone that is none. */
export function checkedZone(zone: string): string {
  try {
    formatOf(zone)
    return zone
  } catch (cause) {
    throw new StoreError('invalid_argument', 'zone must be the name of a time zone, such as Europe/Oslo or UTC', {
      field: 'zone',
      cause,
    })
  }
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  formats.set(zone, made)
  return made
}

/** What the clock on the wall says at a time, as if it were UTC. */
function wallAt(time: number, zone: string): number {
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(time)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** The time at which the clock on the wall of a zone says so; NaN where the text is no time. An hour that comes twice is the first. */
export function wallTime(text: string, zone: string): number {
  const micros = Number(/\.(\d{6})$/.exec(text)?.[1] ?? 0)
  const wall = Date.parse(`${text.slice(0, 19)}Z`)
  if (Number.isNaN(wall)) return Number.NaN
  const guesses = [-msOfDay, msOfDay].map((away) => wall - (wallAt(wall + away, zone) - (wall + away)))
  const fitting = guesses.filter((guess) => wallAt(guess, zone) === wall)
  return (fitting.length > 0 ? Math.min(...fitting) : (guesses[0] ?? wall)) + micros / 1000
}

const msOfDay = 86_400_000
