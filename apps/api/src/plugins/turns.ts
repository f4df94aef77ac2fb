import fp from 'fastify-plugin'
import type { Assistant } from '../assistant/assistant.ts'
import { createTurns, type Turns } from '../assistant/turns.ts'

declare module 'fastify' {
  interface FastifyInstance {
    assistant: Assistant
    turns: Turns
  }
}

/** `app.turns`: the turns that run now. A turn that a closing server cuts goes on when it is asked for again. */
export const turnsPlugin = fp<{ assistant: Assistant }>(
  async (app, { assistant }) => {
    const turns = createTurns(app.store, assistant)
    app.decorate('assistant', assistant).decorate('turns', turns)
    app.addHook('preClose', () => turns.close())
  },
  { name: 'turns', fastify: '5.x', dependencies: ['store'] },
)
