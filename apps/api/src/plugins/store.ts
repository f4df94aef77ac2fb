import type { Store } from '@daybook/core'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    store: Store
  }
}

/** `app.store`, closed with the app. */
export const storePlugin = fp<{ store: Store }>(
  async (app, { store }) => {
    app.decorate('store', store).addHook('onClose', () => store.close())
  },
  { name: 'store', fastify: '5.x' },
)
