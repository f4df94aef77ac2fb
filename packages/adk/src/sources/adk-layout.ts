import { camelCaseEvent } from './event-keys.ts'
import { jsonObject, type Layout } from './layout.ts'

/** The tables of `DatabaseSessionService` of @google/adk, and of the one of ADK for Python, at version 1 of their schema. */
export const adkLayout: Layout = {
  name: 'adk',
  schema: '1',
  tables: { appStates: 'app_states', userStates: 'user_states', sessions: 'sessions', events: 'events' },
  eventsNameUsers: true,
  scopesInSessions: false,
  time: ({ adkTime }, zone) => adkTime(zone),
  body: ({ jsonText, name }) => ({ data: jsonText(name('event_data')) }),
  event({ id, data, at }, time) {
    const event = camelCaseEvent(jsonObject(data, 'event_data'))
    return { ...event, id: event['id'] ?? String(id), timestamp: inMilliseconds(event['timestamp'], time.read(at)) }
  },
  scopeState: (state) => state,
}

/** Python's ADK writes seconds where JavaScript's writes milliseconds. The column, which may be hours off, says which it is. */
function inMilliseconds(timestamp: unknown, column: number): number {
  if (typeof timestamp !== 'number') return column
  const asSeconds = Math.round(timestamp * 1e6) / 1e3
  return Math.abs(asSeconds - column) < Math.abs(timestamp - column) ? asSeconds : timestamp
}
