import { basename } from 'node:path'
import { verifyCertificate } from '../certificate.ts'
import { readCertificate } from '../certificate-files.ts'
import { toMatrix, type Column } from '../matrix.ts'
import { parsed, UsageError, type Command } from './command.ts'

/** A table of several certificates. 1: one of them does not say what its results say, which is told beside the table. */
export const matrix: Command = {
  usage: 'matrix <certificate.json> …',
  async run(args) {
    const { positionals } = parsed({ args: [...args], allowPositionals: true, options: {} })
    if (positionals.length === 0) throw new UsageError('matrix takes the files of certificates')
    const columns = await Promise.all(positionals.map((path) => columnOf(path)))
    process.stdout.write(toMatrix(columns))
    const doubts = columns.flatMap(({ name, certificate }) =>
      verifyCertificate(certificate).map((problem) => `${name}: ${problem}`),
    )
    for (const doubt of doubts) console.error(doubt)
    return doubts.length === 0 ? 0 : 1
  },
}

/** `certificate.json` is what every run calls its own, so there the store names the column. */
async function columnOf(path: string): Promise<Column> {
  const certificate = await readCertificate(path)
  const file = basename(path, '.json')
  return { name: file === 'certificate' ? certificate.subject.name : file, certificate }
}
