import type { Certificate } from './certificate.ts'
import { tally } from './verdict.ts'

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** The certificate for people. No clock and no machine, so that it changes only with what was found. */
export function toMarkdown(certificate: Certificate): string {
  const { subject, server, verdict, level, kind, contract, suite, planHash, checks, mutants, counts, capabilities, deviations } = certificate
  const killed = mutants.filter(({ outcome }) => outcome === 'killed').length
  const applicable = mutants.filter(({ outcome }) => outcome !== 'inapplicable').length
  const open = checks.filter(({ verdict: one }) => one !== 'pass' && one !== 'absent-verified')
  const lines = [
    `# ${subject.name} ${subject.version}`,
    '',
    `**${verdict}** at level **${level}** (${kind}) · contract ${contract} · suite ${suite} · plan \`${planHash.slice(0, 12)}\``,
    '',
    `${server.flavour} ${server.version}${subject.driver === undefined ? '' : ` · driver ${subject.driver}`} · mutants: ${killed} of ${applicable} killed · ${tally(counts)}`,
    '',
    '| capability | |',
    '|---|---|',
    ...Object.entries(capabilities).map(([name, value]) => `| ${name} | ${value} |`),
    '',
    ...(deviations.length === 0 ? [] : ['Known defects:', ...deviations.map(({ issue, checks: own }) => `- ${own.join(', ')}: ${issue}`), '']),
    ...(open.length === 0 ? [] : ['| open | verdict | why |', '|---|---|---|', ...open.map(({ key, verdict: one, what }) => `| ${key} | ${one} | ${cell(what ?? '')} |`), '']),
    '| check | level | verdict | rule |',
    '|---|---|---|---|',
    ...checks.map(({ key, level: own, verdict: one, rule }) => `| ${key} | ${own} | ${one} | ${cell(rule)} |`),
    '',
  ]
  return lines.join('\n')
}
