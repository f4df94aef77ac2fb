import type { AgentEvent, SessionKey, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, present } from '../expect.ts'
import { keyOf, loaded, numbers } from '../fixtures.ts'

/** What a model is asked with: the contents of the events, in order. */
async function promptOf(store: Store, key: SessionKey, last: number): Promise<unknown[]> {
  const { events } = present(await store.sessions.get(key, { events: { last } }), 'the session')
  return events.map(({ event }) => event.content)
}

type Step = AgentEvent & { readonly id: string; readonly timestamp: number }

/** One turn as hosts write it: a question, a call of a tool, its answer, the answer of the model. */
function turn(number: number): readonly [Step, Step, Step, Step] {
  const invocationId = `turn-${number}`
  const common = (at: number) => ({ invocationId, timestamp: 1_700_000_000_000 + number * 1000 + at })
  const call = { id: `call-${number}`, name: 'weather', args: { city: 'Tromsø', days: [number] } }
  return [
    {
      ...common(0),
      id: `${invocationId}-q`,
      author: 'user',
      content: { role: 'user', parts: [{ text: `Day ${number}?` }] },
    },
    {
      ...common(1),
      id: `${invocationId}-call`,
      author: 'assistant',
      content: { role: 'model', parts: [{ functionCall: call }] },
      longRunningToolIds: [call.id],
      partial: false,
      actions: { stateDelta: { pending: call.id, 'temp:started': number, 'user:city': 'Tromsø' } },
    },
    {
      ...common(2),
      id: `${invocationId}-result`,
      author: 'assistant',
      content: {
        role: 'user',
        parts: [{ functionResponse: { id: call.id, response: { celsius: -number, sky: '🌨️' } } }],
      },
      actions: { stateDelta: { [`day${number}`]: -number, 'app:calls': number }, stateUnset: ['pending'] },
    },
    {
      ...common(3),
      id: `${invocationId}-a`,
      author: 'assistant',
      content: { role: 'model', parts: [{ text: `−${number}° and 🌨️` }] },
      turnComplete: true,
      usageMetadata: { promptTokenCount: 40 * number, totalTokenCount: 40 * number + 9 },
    },
  ]
}

const turns = 6

/** Each worker takes a turn; the reply to one append is lost, so that it is sent again. */
export async function chatWithTools(ctx: Ctx): Promise<void> {
  const key = keyOf(ctx, 'chat')
  await ctx.store.sessions.create({ ...key, state: { 'user:name': 'Ann' } })
  const said: Step[] = []
  for (const number of numbers(turns)) {
    const store = number % 2 === 0 ? ctx.store : ctx.other
    const [question, call, result, answer] = turn(number)
    await store.events.append(key, question)
    equal(
      await promptOf(store, key, 8),
      [...said, question].slice(-8).map(({ content }) => content),
      'what the model is asked with: the newest events, oldest first',
    )
    const { state } = await store.events.append(key, call, { state: true })
    equal(
      [state?.['pending'], state?.['temp:started']],
      [call.longRunningToolIds?.[0], undefined],
      'the call is pending',
    )
    await store.events.append(key, result)
    const repeated = await store.events.append(key, [call, result])
    equal(
      repeated.events.map(({ duplicate, seq }) => [duplicate, seq]),
      [
        [true, 4 * number - 2],
        [true, 4 * number - 1],
      ],
      'a call and its result that are sent again are known',
    )
    await store.events.append(key, answer)
    said.push(question, call, result, answer)
  }
  await sessionIsAsSaid(ctx, key, said)
}

async function sessionIsAsSaid(ctx: Ctx, key: SessionKey, said: readonly Step[]): Promise<void> {
  const { events, state } = await loaded(ctx, key)
  equal(
    events.map(({ event }) => event),
    said.map((event) => stored(event)),
    'the history, as it was appended but for temp: keys',
  )
  equal(
    state,
    {
      ...Object.fromEntries(numbers(turns).map((number) => [`day${number}`, -number])),
      'user:name': 'Ann',
      'user:city': 'Tromsø',
      'app:calls': turns,
    },
    'state after the chat: nothing is pending',
  )
  const { items } = await ctx.other.events.list(key, { invocationId: 'turn-3' })
  equal(
    items.map(({ event }) => event.id),
    turn(3).map(({ id }) => id),
    'one turn, by its invocation',
  )
}

/** `temp:` keys are not kept. */
function stored(event: Step): Step {
  if (event.actions?.stateDelta === undefined) return event
  const { 'temp:started': _started, ...stateDelta } = event.actions.stateDelta
  return { ...event, actions: { ...event.actions, stateDelta } }
}
