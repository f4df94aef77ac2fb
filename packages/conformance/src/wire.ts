/** What a statement is to the transaction that it is in. */
export type Phase =
  | 'begin'
  | 'read'
  | 'write' // changes rows, and a commit is still to come
  | 'commit' // after it the change stays: COMMIT, or one statement that writes outside of a transaction
  | 'rollback'

/** One connection, as what goes over it shows. */
export interface WireReader {
  /** The statements that these bytes of the store complete, in their order. Bytes come as they come: in halves, or several at once. */
  sent(bytes: Buffer): readonly Phase[]
  /** What the server says to it, where later statements cannot be told without. */
  received?(bytes: Buffer): void
}

/** How the protocol between a store and its database shows what is sent. Needs bytes that are not encrypted. */
export type Wire = () => WireReader

/** Tells phases by the text of SQL statements, of one connection. */
export function phases(): (text: string) => Phase {
  let isOpen = false
  return (text) => {
    const sql = text.replace(leading, '')
    if (/^(?:set\s+statement\b[^;]*\bfor\s+)?begin\s+not\s+atomic\b/i.test(sql)) return 'commit' // a block of MariaDB, with its COMMIT inside
    if (/^(?:begin|start\s+transaction)\b/i.test(sql)) {
      isOpen = true
      return 'begin'
    }
    const end = /^(commit|end|rollback)\b(?!\s+(?:work\s+)?to\b)/i.exec(sql)?.[1]?.toLowerCase()
    if (end !== undefined) {
      isOpen = false
      return end === 'rollback' ? 'rollback' : 'commit'
    }
    if (!changes.test(sql)) return 'read'
    return isOpen ? 'write' : 'commit'
  }
}

/** What may come before a statement: comments, and the brackets and control bytes of a protocol. */
const leading = /^(?:\/\*[^]*?\*\/|--[^\n]*\n|[^a-z/-])+/i

const changes =
  /^(?:insert|update|delete|replace|create|alter|drop|truncate|call|with\b[\s\S]*\b(?:insert\s+into|delete\s+from|update\s+\S+\s+(?:as\s+\S+\s+)?set))\b/i

const strength: Readonly<Record<Phase, number>> = { read: 0, rollback: 1, begin: 2, write: 3, commit: 4 }

/** What several statements are that are sent as one. */
export const strongest = (list: readonly Phase[]): Phase | undefined =>
  list.toSorted((a, b) => strength[b] - strength[a])[0]
