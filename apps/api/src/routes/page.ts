import { readFile } from 'node:fs/promises'
import type { FastifyPluginAsync } from 'fastify'

const files = {
  '/': { name: 'index.html', type: 'text/html; charset=utf-8' },
  '/chat.js': { name: 'chat.js', type: 'text/javascript; charset=utf-8' },
  '/chat.css': { name: 'chat.css', type: 'text/css; charset=utf-8' },
}

/** A page to talk to the assistant: three files, read once. */
export const pageRoutes: FastifyPluginAsync = async (app) => {
  for (const [path, { name, type }] of Object.entries(files)) {
    const content = await readFile(new URL(`../../public/${name}`, import.meta.url))
    app.get(path, { schema: { hide: true } }, async (_request, reply) =>
      reply.type(type).header('cache-control', 'no-cache').send(content),
    )
  }
}
