#!/usr/bin/env node
import { createInMemoryStore, isStoreError, type Store } from '@daybook/core'
import { parseArgs } from 'node:util'
import { importFromAdk } from './import-from-adk.ts'
import type { AdkImportReport, ImportProgress } from './import-report.ts'
import { openStore } from './open-store.ts'

const usage = `Usage: daybook-adk import --from <url> --to <url> [--dry-run]
  --from <url>    the database of ADK's DatabaseSessionService, or of SQLSpec; default $ADK_DATABASE_URL
  --to <url>      the database of Daybook, whose tables are made or upgraded; default $DATABASE_URL
  --prefix <text> what the names of Daybook's tables begin with; default daybook_
  --dry-run       read and check everything, write nothing
  --zone <name>   time zone of the processes that wrote to MySQL or MariaDB; default UTC
  --layout <name> adk or sqlspec, where both are there
  --json          the whole report as JSON, with the checksums
Safe to repeat. Exit codes: 0 all is taken · 1 something is not, and listed · 2 usage · 3 failed`

const options = {
  from: { type: 'string' },
  to: { type: 'string' },
  prefix: { type: 'string' },
  zone: { type: 'string' },
  layout: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

class UsageError extends Error {}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error)
  console.error(isStoreError(error) ? `${error.code}: ${error.message}` : String(error))
  if (isUsage) console.error(usage)
  return isUsage ? 2 : 3
})

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  if (values.help) {
    console.log(usage)
    return 0
  }
  if (positionals.join(' ') !== 'import') throw new UsageError('the one command is import')
  const { from = process.env['ADK_DATABASE_URL'], to = process.env['DATABASE_URL'], layout, prefix } = values
  if (from === undefined || to === undefined) throw new UsageError('--from and --to are needed')
  if (layout !== undefined && layout !== 'adk' && layout !== 'sqlspec')
    throw new UsageError('--layout is adk or sqlspec')
  const gaveUp = new AbortController()
  process.once('SIGINT', () => gaveUp.abort())
  const opened = await openStore(to, prefix === undefined ? {} : { prefix })
  try {
    const report = await importFromAdk({
      from,
      to: await ready(opened, values['dry-run']),
      dryRun: values['dry-run'],
      signal: gaveUp.signal,
      ...(values.zone !== undefined && { zone: values.zone }),
      ...(layout !== undefined && { layout }),
      ...(process.stderr.isTTY && { onProgress: showProgress }),
    })
    console.log(values.json ? JSON.stringify(report, undefined, 2) : textOf(report))
    return report.notTaken.length === 0 ? 0 : 1
  } finally {
    await opened.close()
  }
}

/** A dry run makes no tables: where there are none it is tried on an empty store with the same limits. */
async function ready(store: Store, isDryRun: boolean): Promise<Store> {
  if (!isDryRun) {
    await store.migrate()
    return store
  }
  const { applied } = await store.migrate({ dryRun: true })
  return applied.length === 0 ? store : createInMemoryStore({ limits: store.limits })
}

function showProgress({ sessions, events }: ImportProgress): void {
  process.stderr.write(`\r${sessions.done} of ${sessions.of} sessions, ${events.done} of ${events.of} events `)
  if (sessions.done === sessions.of) process.stderr.write('\n')
}

function textOf({ dryRun, source, tables, tied, notTaken }: AdkImportReport): string {
  const rows = Object.entries(tables).map(
    ([table, { found, taken, written }]) => `  ${table}: ${found} found, ${taken} taken, ${written} written`,
  )
  const left = notTaken.map(({ what, appName, userId, sessionId, eventId, reason, detail, count }) => {
    const key = [appName, userId, sessionId, eventId].filter((part) => part !== undefined)
    return `  ${what} ${JSON.stringify(key)}${count === undefined ? '' : ` (${count} rows)`}: ${reason}, ${detail}`
  })
  return [
    `${dryRun ? 'A dry run: this would be written' : 'Imported'}, from tables of ${source.layout} (${source.schema}) on ${source.flavour}`,
    ...rows,
    ...(source.zone === undefined ? [] : [`  times without a zone were taken for ${source.zone}`]),
    ...(tied === 0 ? [] : [`  ${tied} sessions have events of the same time, whose order is a guess`]),
    ...(left.length === 0 ? [] : ['Not taken, or not whole:', ...left]),
  ].join('\n')
}
