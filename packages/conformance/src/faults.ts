import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Endpoint } from './define.ts'
import type { Phase, Wire, WireReader } from './wire.ts'

/**
 * What becomes of a statement.
 *
 * - `lost`: it does not arrive, and the connection is cut.
 * - `torn`: the first half of its bytes arrives, and the connection is cut.
 * - `unanswered`: it arrives and is carried out; the connection is cut in place of the reply.
 * - `swallowed`: nothing arrives any more on this connection, and nobody says so.
 * - `left`: it is answered; the connection is cut after that.
 */
type Damage = 'lost' | 'torn' | 'unanswered' | 'swallowed' | 'left'

/** How a connection ends: by a reset, as when a machine has gone, or in good order, as when a server stops. */
type End = 'RST' | 'FIN'

export interface Fault {
  /** Which statements: those of a phase, or any. */
  readonly at?: Phase
  /** How many of them pass before. Default 0. */
  readonly after?: number
  /** How many are hit. Default 1. */
  readonly times?: number
  readonly damage: Damage
  readonly end?: End
}

/** A fault that was asked for. */
export interface Injected {
  /** How many statements it hit. */
  readonly hits: number
  /** The connections that it swallowed hear nothing either way until they are cut by this. */
  lift(): void
}

/** A way to the server that fails when it is told to. */
export interface Proxy {
  readonly endpoint: Endpoint
  /** Connections that the store has through it. */
  readonly connections: number
  /** The statements that passed while the body ran. Empty where nobody can read what is sent. */
  trace(body: () => Promise<unknown>): Promise<readonly Phase[]>
  inject(fault: Fault): Injected
  /** Ends the connections that there are. */
  cut(end?: End): void
  /** Connections are refused from now on; with `cut()` the server seems to be gone. */
  refuse(): Promise<void>
  /** Connections are taken and hear nothing, nor do those that there are. */
  mute(): void
  /** Everything passes again. Connections that heard nothing are cut. */
  mend(): Promise<void>
  close(): Promise<void>
}

interface Pair {
  readonly near: Socket
  readonly far: Socket
  readonly reader: WireReader | undefined
  /** Nothing passes any more. */
  isMute: boolean
  /** What comes in place of, or after, the next answer. */
  onReply: ((pass: () => void) => void) | undefined
}

class FaultInjector {
  #passed = 0
  hits = 0
  isOver = false
  readonly #fault: Fault

  constructor(fault: Fault) {
    this.#fault = fault
  }

  /** Whether one of the statements is to be hit. */
  meets(found: readonly Phase[]): Fault | undefined {
    const { at, after = 0, times = 1 } = this.#fault
    let isHit = false
    for (const phase of found) {
      if (this.isOver || (at !== undefined && phase !== at)) continue
      this.#passed += 1
      if (this.#passed > after && this.hits < times) {
        this.hits += 1
        isHit = true
      }
    }
    return isHit ? this.#fault : undefined
  }
}

/** Opens a way to the server: a socket on loopback, and what a `wire` makes of its bytes. */
export async function openProxy(to: Endpoint, wire?: Wire, host = '127.0.0.1'): Promise<Proxy> {
  const pairs = new Set<Pair>()
  let injected: FaultInjector | undefined
  let seen: Phase[] = []
  let isMute = false

  const accept = (near: Socket) => {
    const far = connect(to.port, to.host)
    const pair: Pair = { near, far, reader: wire?.(), isMute, onReply: undefined }
    pairs.add(pair)
    for (const socket of [near, far]) socket.setNoDelay(true).on('error', () => {}) // whoever waits on it sees it end
    near.on('close', () => {
      pairs.delete(pair)
      far.destroy()
    })
    far.on('close', () => {
      if (!pair.isMute) near.destroySoon()
    })
    near.on('data', (bytes) => {
      if (pair.isMute) return
      const found = pair.reader?.sent(bytes) ?? []
      seen.push(...found)
      const fault = injected?.meets(found)
      if (fault === undefined) far.write(bytes)
      else harm(pair, bytes, fault)
    })
    near.on('end', () => far.end())
    far.on('data', (bytes) => {
      if (pair.isMute) return
      pair.reader?.received?.(bytes)
      const pass = () => void near.write(bytes)
      if (pair.onReply === undefined) pass()
      else pair.onReply(pass)
    })
  }

  function harm(pair: Pair, bytes: Buffer, { damage, end = 'RST' }: Fault): void {
    if (damage === 'swallowed') pair.isMute = true
    if (damage === 'lost') sever(pair, end)
    if (damage === 'torn') pair.far.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => sever(pair, end))
    if (damage === 'unanswered' || damage === 'left') {
      pair.onReply = (pass) => {
        if (damage === 'left') pass()
        pair.onReply = () => {}
        sever(pair, end)
      }
      pair.far.write(bytes)
    }
  }

  const server = createServer(accept)
  const listen = async (port: number) => {
    server.listen(port, host)
    await once(server, 'listening')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo // of a server that listens on TCP

  const cut = (end: End = 'RST') => pairs.forEach((pair) => sever(pair, end))
  return {
    endpoint: { host, port },
    get connections() {
      return pairs.size
    },
    async trace(body) {
      seen = []
      await body()
      return seen
    },
    inject(fault) {
      const own = new FaultInjector(fault)
      injected = own
      return {
        get hits() {
          return own.hits
        },
        lift() {
          own.isOver = true
          for (const pair of pairs) if (pair.isMute) sever(pair, 'RST')
        },
      }
    },
    cut,
    refuse: () => stop(server),
    mute() {
      isMute = true
      for (const pair of pairs) pair.isMute = true
    },
    async mend() {
      isMute = false
      if (injected !== undefined) injected.isOver = true
      for (const pair of pairs) if (pair.isMute) sever(pair, 'RST')
      if (!server.listening) await listen(port)
    },
    async close() {
      cut()
      await stop(server)
    },
  }
}

/** It takes nobody in from now on. */
async function stop(server: Server): Promise<void> {
  if (!server.listening) return
  await new Promise<void>((resolve) => {
    server.close()
    setImmediate(resolve) // it has stopped to listen; those that are open it would wait for
  })
}

function sever({ near, far }: Pair, end: End): void {
  far.destroy()
  if (end === 'RST') near.resetAndDestroy()
  else near.destroySoon()
}
