// Ends the throwaway servers of the process that started this one, however that process ends: its end closes our standard
// input. A line of it names a folder with a server; what is left of the folders in the end is stopped and removed.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const folders = new Set()
for await (const folder of createInterface({ input: process.stdin })) folders.add(folder)

for (const folder of folders) {
  for (const pid of serversIn(folder)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }
  // Processes of a server that was killed may still write for a moment.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}

/** The server's process, if the number is still its own. */
function serversIn(folder) {
  const file = join(folder, 'server.json')
  if (!existsSync(file)) return []
  const { pid } = JSON.parse(readFileSync(file, 'utf8'))
  const commandLine = `/proc/${pid}/cmdline`
  if (
    existsSync('/proc/self/cmdline') &&
    !(existsSync(commandLine) && readFileSync(commandLine, 'utf8').includes(folder))
  )
    return []
  return pid > 0 ? [pid] : []
}
