// The binding takes the whole process down when its thread is ended in the middle of a call, as Node does when the process
// exits. So whoever exits shuts the gate, and waits until the thread has come out of the binding.

const [isInside, isShut] = [0, 1]

/** Two numbers that both threads see. It is opened with the thread inside, since it begins by opening the database. */
export function newGate(): Int32Array {
  const gate = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT))
  gate[isInside] = 1
  return gate
}

/** Runs what must not be interrupted; once the gate is shut, nothing. Such work is one stretch: nothing is awaited in it. */
export function throughGate<T>(gate: Int32Array, work: () => T): T {
  Atomics.store(gate, isInside, 1)
  try {
    if (Atomics.load(gate, isShut) === 1) throw new Error('the process is about to end')
    return work()
  } finally {
    leave(gate)
  }
}

export function leave(gate: Int32Array): void {
  Atomics.store(gate, isInside, 0)
  Atomics.notify(gate, isInside)
}

/** Milliseconds that an exit may wait for a thread: longer than any stretch of work on a disk that works. */
const longestWait = 5_000

const open = new Set<Int32Array>()

function shutAll(): void {
  const until = performance.now() + longestWait
  for (const gate of open) Atomics.store(gate, isShut, 1)
  for (const gate of open) Atomics.wait(gate, isInside, 1, Math.max(0, until - performance.now()))
}

/** Has the gate shut when the process exits, until the answer is called. */
export function shutAtExit(gate: Int32Array): () => void {
  if (open.size === 0) process.on('exit', shutAll)
  open.add(gate)
  return () => {
    open.delete(gate)
    if (open.size === 0) process.off('exit', shutAll)
  }
}
