import { onTestFinished } from 'vitest'
import { openProxy as openFaults } from '../../conformance/src/faults.ts'
import { serverEndpoint, urlWith } from './server.ts'

/** A way to the server that can be cut, without a word from the server. Closed after the test. */
export async function openProxy(host?: string): Promise<{ readonly url: string; readonly cut: () => void }> {
  const proxy = await openFaults(serverEndpoint, undefined, host)
  onTestFinished(() => proxy.close())
  const { endpoint } = proxy
  const name = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return { url: urlWith({ host: `${name}:${endpoint.port}` }), cut: () => proxy.cut('FIN') }
}
