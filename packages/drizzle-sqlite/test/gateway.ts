import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'

/** What stands between a store and a libSQL server: it passes requests on, or answers with a status of its own. */
export interface Gateway extends AsyncDisposable {
  readonly url: `http://${string}`
  /** Every request from now on gets this answer; without one requests are passed on. */
  answer(status?: number, body?: string): void
}

/** @param target the address of the server; without one there is only what `answer` says */
export async function startGateway(target?: string): Promise<Gateway> {
  let own: { readonly status: number; readonly body: string } | undefined = { status: 502, body: 'Bad Gateway' }
  const passedOn = async ({ method = 'GET', url = '/', headers }: IncomingMessage, body: Buffer<ArrayBuffer>) => {
    const type = headers['content-type']
    return fetch(`${target}${url}`, {
      method,
      ...(type !== undefined && { headers: { 'content-type': type } }),
      ...(method === 'POST' && { body }),
    })
  }
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = []
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    request.on('end', async () => {
      const answer =
        own === undefined
          ? await passedOn(request, Buffer.concat(chunks))
          : new Response(own.body, { status: own.status })
      response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a listening socket has a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    answer(status, body = '') {
      own = status === undefined ? undefined : { status, body }
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
