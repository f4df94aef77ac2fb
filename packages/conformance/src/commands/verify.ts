import { exitCode, verifyCertificate } from '../certificate.ts'
import { readCertificate } from '../certificate-files.ts'
import { onlyOne, parsed, type Command } from './command.ts'

/** Draws the verdict again from the raw results. 1: the certificate says what its results do not. */
export const verify: Command = {
  usage: 'verify <certificate.json>',
  async run(args) {
    const { positionals } = parsed({ args: [...args], allowPositionals: true, options: {} })
    const certificate = await readCertificate(onlyOne(positionals, 'certificate'))
    const problems = verifyCertificate(certificate)
    for (const problem of problems) console.info(problem)
    const { subject, kind, verdict, level, requested } = certificate
    console.info(
      problems.length === 0
        ? `${subject.name} ${subject.version}: ${verdict} (${kind}), level reached: ${level}, asked for: ${requested}; as it says`
        : `${subject.name} ${subject.version}: not what it says`,
    )
    return problems.length === 0 ? exitCode(certificate) : 1
  },
}
