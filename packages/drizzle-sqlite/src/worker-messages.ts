import { isStoreError, StoreError, type ErrorCode, type ErrorFacts, type Limits, type Logger } from '@daybook/core'
import type { TableNameOptions } from '@daybook/drizzle'
import type { MessagePort } from 'node:worker_threads'
import type { SqliteStoreOptions } from './options.ts'
import type { Probe } from './probe.ts'

// What a store and its thread say to each other. All of it goes through structured clone.

/** What the thread opens. */
export interface WorkerStart {
  readonly path: string
  readonly isMemory: boolean
  readonly pragmas: readonly string[]
  readonly busyTimeout: number
  readonly names: TableNameOptions
  readonly limits: Limits
  readonly groupCommit: NonNullable<SqliteStoreOptions['groupCommit']>
  /** See worker-gate.ts. */
  readonly gate: Int32Array
  /** Where the thread says what a call has removed, by a {@link Removal}, before it goes on. */
  readonly removals: MessagePort
  /** Whether somebody wants to hear what the thread logs. */
  readonly logs: boolean
}

export interface CallMessage {
  readonly call: number
  /** Name of an operation of the engine, or a method of its backend. */
  readonly name: string
  readonly request: unknown
  /** What the store's clock said when the call was sent: it is asked here, and not in the thread. */
  readonly now: number
  /** Milliseconds that are left. */
  readonly ms: number
  /** One number that both threads see; see worker-call.ts. */
  readonly cell: Int32Array
}

/** On a port of its own, which the store can read at once: what comes with the other messages waits for its turn, and a call that ends meanwhile would not tell it. */
export interface Removal {
  readonly call: number
  readonly counts: Readonly<Record<string, number>>
}

export type ToThread = CallMessage | { readonly abort: number } | { readonly close: true }

export type FromThread =
  | { readonly opened: Probe }
  | { readonly refused: WireError }
  | { readonly answers: number; readonly value: unknown }
  | { readonly answers: number; readonly error: WireError }
  | { readonly log: keyof Logger; readonly facts: object; readonly message: string }

/** An error as data: a clone of one would lose what drivers put on it, and the class. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** A driver's code. */
  readonly code: string | number | undefined
  /** Of a StoreError. */
  readonly store: { readonly code: ErrorCode; readonly retryable: boolean; readonly facts: ErrorFacts } | undefined
  readonly cause: WireError | undefined
}

const deepestCause = 8

export function toWire(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error))
    return {
      name: 'Error',
      message: String(error),
      stack: undefined,
      code: undefined,
      store: undefined,
      cause: undefined,
    }
  const { name, message, stack, cause } = error
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : undefined
  const store = isStoreError(error) ? { code: error.code, retryable: error.retryable, facts: error.facts } : undefined
  return {
    name,
    message,
    stack,
    code,
    store,
    cause: cause === undefined || depth === deepestCause ? undefined : toWire(cause, depth + 1),
  }
}

export function fromWire({ name, message, stack, code, store, cause: given }: WireError): Error {
  const cause = given === undefined ? {} : { cause: fromWire(given) }
  if (store !== undefined)
    return new StoreError(store.code, message, { ...store.facts, retryable: store.retryable, ...cause })
  const error = new Error(message, cause)
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  if (stack !== undefined) Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true })
  return code === undefined ? error : Object.assign(error, { code })
}
