import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { verifyCertificate } from '../src/certificate.ts'
import { readCertificate, writeCertificate } from '../src/certificate-files.ts'
import { writeMatrixPages } from './matrix-pages.ts'

/** Takes the certificates that a run of the tests has earned into conformance/, and writes the pages. Answers 0 if all could be taken. */
export async function collectCertificates(root: URL, folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json'))
  let refused = 0
  for (const name of names.toSorted()) {
    const certificate = await readCertificate(join(folder, `${name}.json`))
    const against = [
      ...verifyCertificate(certificate),
      ...(certificate.verdict === 'certified' ? [] : [`it is ${certificate.verdict}`]),
    ]
    if (against.length > 0) refused++
    else await writeCertificate(certificate, new URL('conformance/', root), name)
    console.info(
      `${name.padEnd(24)} ${against.length > 0 ? `left: ${against.join('; ')}` : `taken, level ${certificate.level}`}`,
    )
  }
  await writeMatrixPages(root)
  console.info(`${names.length - refused} taken, ${refused} left`)
  return refused === 0 && names.length > 0 ? 0 : 1
}
