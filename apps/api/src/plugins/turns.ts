import fp from 'fastify-plugin'
import type { Pace } from '../assistant/turn.ts'
import { createTurns, type Turns } from '../assistant/turns.ts'

declare module 'fastify' {
  interface FastifyInstance {
    turns: Turns
  }
}

/** `app.turns`: the turns that run now. A turn that a closing server cuts goes on when it is asked for again. */
export const turnsPlugin = fp<{ pace: Pace }>(
  async (app, { pace }) => {
    const turns = createTurns(app.store, pace)
    app.decorate('turns', turns).addHook('preClose', () => turns.close())
  },
  { name: 'turns', fastify: '5.x', dependencies: ['store'] },
)
