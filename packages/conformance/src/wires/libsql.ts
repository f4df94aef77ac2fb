import { phases, strongest, type Phase, type WireReader } from '../wire.ts'

/** A request of Hrana over HTTP, as far as it shows statements. */
interface Statement {
  readonly sql?: string
  readonly sql_id?: number
}
interface Request extends Statement {
  readonly stmt?: Statement
  readonly batch?: { readonly steps: readonly { readonly stmt: Statement }[] }
}
interface Body {
  readonly baton?: string | null
  readonly requests?: readonly Request[]
}

/** The protocol of libSQL servers over HTTP: https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_2_SPEC.md */
export function libsqlWire(): WireReader {
  let phaseOf = phases()
  let texts = new Map<number, string>()
  let rest = ''

  const pipeline = ({ baton, requests = [] }: Body): Phase | undefined => {
    if (typeof baton !== 'string') {
      phaseOf = phases()
      texts = new Map()
    }
    const found = requests.flatMap(({ sql, sql_id, stmt, batch }) => {
      if (sql !== undefined && sql_id !== undefined) texts.set(sql_id, sql)
      const statements = [...(stmt === undefined ? [] : [stmt]), ...(batch?.steps.map((step) => step.stmt) ?? [])]
      return statements.map((one) => phaseOf(one.sql ?? texts.get(one.sql_id ?? -1) ?? ''))
    })
    return strongest(found)
  }

  return {
    sent(bytes) {
      rest += bytes.toString('latin1')
      const found: Phase[] = []
      for (;;) {
        const request = next(rest)
        if (request === undefined) return found
        rest = rest.slice(request.length)
        const phase = request.body === '' ? undefined : pipeline(JSON.parse(request.body) as Body) // as the protocol says
        if (phase !== undefined) found.push(phase)
      }
    },
  }
}

/** The first request in the text, once all of it is there. */
function next(text: string): { readonly length: number; readonly body: string } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const from = end + 4
  const head = text.slice(0, end)
  if (/^transfer-encoding:\s*chunked/im.test(head)) return chunked(text, from)
  const size = Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0)
  return text.length < from + size ? undefined : { length: from + size, body: text.slice(from, from + size) }
}

function chunked(text: string, from: number): { readonly length: number; readonly body: string } | undefined {
  let body = ''
  for (let at = from; ;) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    const begin = line + 2
    if (text.length < begin + size + 2) return undefined
    if (size === 0) return { length: begin + 2, body }
    body += text.slice(begin, begin + size)
    at = begin + size + 2
  }
}
