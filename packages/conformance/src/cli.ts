#!/usr/bin/env node
import { isStoreError } from '@daybook/core'
import { UsageError } from './commands/command.ts'
import { commands } from './commands/index.ts'
import { CertificateError } from './certificate-shape.ts'
import { SubjectError } from './define.ts'
import { redactText } from './redact.ts'

const usage = [
  'Usage: daybook-conformance <command>',
  ...Object.values(commands).map((command) => `  ${command.usage}`),
  'Exit codes: 0 certified, or done · 1 a check failed · 2 incomplete, partial or unproven · 3 could not start',
].join('\n')

// What ends this process otherwise, such as a store whose opening never settles, has come to no verdict.
process.exitCode = 3
process.on('uncaughtException', (error) => {
  console.error(`broke off, without a verdict: ${told(error)}`)
  process.exit(3)
})

process.exitCode = await main(process.argv.slice(2))
// A verdict is there. A store that left a socket or a timer open must not keep it from whoever waits for the exit code.
setTimeout(() => {
  console.error('the store left something open that keeps this process alive; ended by force')
  process.exit()
}, 3000).unref()

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === 'help' || args.includes('--help')) {
    console.info(usage)
    return name === undefined ? 3 : 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  try {
    if (command === undefined) throw new UsageError(`there is no command ${name}`)
    return await command.run(args)
  } catch (error) {
    console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : `could not start: ${told(error)}`)
    return 3
  }
}

/** A sentence where the error is ours or the system's; where it came out of the author's code, with its stack. */
function told(error: unknown): string {
  if ([SubjectError, CertificateError, SyntaxError].some((own) => error instanceof own)) return messageOf(error)
  if (isStoreError(error)) return `StoreError ${error.code}: ${messageOf(error)}`
  const isOfSystem = error instanceof Error && typeof Reflect.get(error, 'syscall') === 'string'
  if (isOfSystem) return messageOf(error)
  return redactText(error instanceof Error ? (error.stack ?? error.message) : String(error))
}

function messageOf(error: unknown): string {
  return redactText(error instanceof Error ? error.message : String(error))
}
