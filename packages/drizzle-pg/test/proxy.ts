import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { serverUrl } from './server.ts'

/** A way to the server that can be cut, without a word from the server. Closed after the test. */
export async function openProxy(host = '127.0.0.1'): Promise<{ readonly url: string; readonly cut: () => void }> {
  const { hostname, port } = new URL(serverUrl)
  const sockets = new Set<Socket>()
  const kept = (socket: Socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
    return socket
  }
  const server = createServer((near) => {
    const far = kept(connect(Number(port || 5432), hostname))
    kept(near).pipe(far).pipe(near)
    near.on('close', () => far.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  const { port: own } = server.address() as AddressInfo // of a server that listens on TCP
  return {
    url: Object.assign(new URL(serverUrl), { hostname: host.includes(':') ? `[${host}]` : host, port: String(own) })
      .href,
    cut,
  }
}
