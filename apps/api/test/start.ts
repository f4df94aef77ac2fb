import type { FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import { buildApp, type AppOptions } from '../src/app.ts'
import { openDatabase } from '../src/database.ts'
import { freshDatabase } from './fresh-database.ts'

/** An app over a database of its own, closed when the test ends (or, with `afterAll`, the file). */
export async function startApp(
  options: Partial<AppOptions> = {},
  whenOver: (close: () => Promise<void>) => void = onTestFinished,
): Promise<FastifyInstance> {
  const { store = await openDatabase(await freshDatabase(whenOver)) } = options
  await store.migrate()
  const app = await buildApp({ ...options, store })
  whenOver(() => app.close())
  return app
}

/** The same, behind a real socket; answers the address. */
export async function listen(app: FastifyInstance): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 })
}

export interface Sse {
  readonly id: string | undefined
  readonly event: string | undefined
  readonly data: unknown
}

/** The messages of a stream of server-sent events; heartbeats come as `event: 'comment'`. */
export async function* sseIn(response: Response): AsyncGenerator<Sse> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body ?? []) {
    const blocks = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n') // a body is bytes
    rest = blocks.pop() ?? ''
    for (const block of blocks) yield sse(block)
  }
}

function sse(block: string): Sse {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2)
  if (block.startsWith(':')) return { id: undefined, event: 'comment', data: block.slice(1).trim() }
  return { id: field('id'), event: field('event'), data: JSON.parse(field('data') ?? 'null') }
}

/** The next `count` messages. */
export async function take(messages: AsyncGenerator<Sse>, count: number): Promise<Sse[]> {
  const taken: Sse[] = []
  while (taken.length < count) {
    const { value, done } = await messages.next()
    if (done === true) break
    taken.push(value)
  }
  return taken
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
