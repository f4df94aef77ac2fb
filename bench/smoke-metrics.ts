// What a contender has recorded, as its database says it.
import { isDeepStrictEqual } from 'node:util'
import type { NewMetric } from '@daybook/core'
import type { Contender, StoredRow } from './contender.ts'
import { cellsOf, columnNames, isDocument, type Cell } from './contenders/metric-columns.ts'
import { createData } from './data.ts'

/** As many as the limit writes by two statements. */
const count = 500
const looked = columnNames.filter((name) => name !== 'recorded_at')

/** Records rows and reads some of them, among them some with an image and with an error; what is wrong with them in words. */
export async function smokeMetrics(
  { record, sql }: Contender,
  appName: string,
  seedNumber: number,
): Promise<string | undefined> {
  if (record === undefined || sql?.rows === undefined) return undefined
  const data = createData(seedNumber)
  const given = Array.from({ length: count }, (): NewMetric => ({ ...data.metric(), appName }))
  await record(given)
  const [all] = await sql.rows(`select count(*) as n from daybook_metrics where app_name = '${appName}'`)
  if (Number(all?.['n']) !== count) return `of ${count} rows of metrics ${String(all?.['n'])} are there`
  for (const row of given.filter(isTelling)) {
    const [found = {}] = await sql.rows(
      `select ${looked.join(', ')} from daybook_metrics where app_name = '${appName}' and trace_id = '${row.traceId}' and span_id = '${row.spanId}'`,
    )
    const expected = cellsOf(row)
    const wrong = columnNames.find((name, i) => looked.includes(name) && !isSame(name, found, expected[i] ?? null))
    if (wrong !== undefined) return `${wrong} of a row of metrics is not what was given`
  }
  return undefined
}

const isTelling = (_: NewMetric, i: number): boolean => i % 25 === 0 || i === count - 1

/** Drivers give numbers as texts, and documents as texts or parsed. */
function isSame(name: string, found: StoredRow, expected: Cell): boolean {
  const value = found[name] ?? null
  if (value === null || expected === null) return value === expected
  if (isDocument(name)) return isDeepStrictEqual(parsed(value), parsed(expected))
  return JSON.stringify(value).replaceAll('"', '') === JSON.stringify(expected).replaceAll('"', '')
}

const parsed = (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : value)
