import type { Certificate } from './certificate.ts'
import { skippedOf, tally, type Verdict } from './verdict.ts'

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** The certificate for people. No clock and no machine, so that it changes only with what was found. */
export function toMarkdown(certificate: Certificate): string {
  const {
    subject,
    server,
    verdict,
    level,
    kind,
    contract,
    suite,
    planHash,
    checks,
    mutants,
    counts,
    capabilities,
    deviations,
  } = certificate
  const killed = mutants.filter(({ outcome }) => outcome === 'killed').length
  const applicable = mutants.filter(({ outcome }) => outcome !== 'inapplicable').length
  const open = checks.filter(({ verdict: one }) => !closed.has(one))
  const lines = [
    `# ${subject.name} ${subject.version}`,
    '',
    `**${verdict}** at level **${level}** (${kind}) · contract ${contract} · suite ${suite} · plan \`${planHash.slice(0, 12)}\``,
    '',
    `${server.flavour} ${server.version}${subject.driver === undefined ? '' : ` · driver ${subject.driver}`} · mutants: ${killed} of ${applicable} killed · ${tally(counts)}`,
    '',
    ...inapplicable(certificate),
    '| capability | |',
    '|---|---|',
    ...Object.entries(capabilities).map(([name, value]) => `| ${name} | ${value} |`),
    '',
    ...(deviations.length === 0
      ? []
      : ['Known defects:', ...deviations.map(({ issue, checks: own }) => `- ${own.join(', ')}: ${issue}`), '']),
    ...(open.length === 0
      ? []
      : [
          '| open | verdict | why |',
          '|---|---|---|',
          ...open.map(({ key, verdict: one, what }) => `| ${key} | ${one} | ${cell(what ?? '')} |`),
          '',
        ]),
    '| check | level | verdict | rule |',
    '|---|---|---|---|',
    ...checks.map(({ key, level: own, verdict: one, rule }) => `| ${key} | ${own} | ${one} | ${cell(rule)} |`),
    '',
  ]
  return lines.join('\n')
}

/** Verdicts that need no explanation, or have one by reason. */
const closed: ReadonlySet<Verdict> = new Set(['pass', 'absent-verified', 'inapplicable'])

/** What the certificate does not say about this store, by reason. */
function inapplicable({ checks, place, capabilities }: Certificate): string[] {
  const found = checks.filter(({ verdict }) => verdict === 'inapplicable')
  if (found.length === 0) return []
  const reasons = [...new Set(found.map(({ what, reason }) => what ?? reason ?? ''))]
  return [
    `**Not applicable**, so neither kept nor broken (${found.length} of ${checks.length} checks):`,
    ...(capabilities.persistent === 'no'
      ? ['- **Data end with the process: nothing here is proven across processes.**']
      : []),
    ...(place.lacks.length === 0 ? [] : [`- the place declares that it has no ${place.lacks.join(', no ')}`]),
    ...reasons.map((why) => {
      const keys = found.filter(({ what, reason }) => (what ?? reason) === why).map(({ key }) => key)
      return `- ${why}: ${keys.join(', ')}`
    }),
    '',
  ]
}

const escaped = (text: string) =>
  text.replaceAll(
    /[<>&"\u0000-\u0008\u000b\u000c\u000e-\u001f]/g,
    (char) => `&#${char.charCodeAt(0) < 32 ? 0xfffd : char.charCodeAt(0)};`,
  )

/** The results as JUnit XML, for machines that read nothing else. */
export function toJunit({ subject, checks, counts }: Certificate): string {
  const cases = checks.map(({ key, rule, verdict, what, expected, got }) => {
    const name = `<testcase classname="${escaped(key.split('-')[0] ?? key)}" name="${escaped(`${key} ${rule}`)}"`
    const text = escaped(`${what ?? ''}\nexpected: ${expected ?? ''}\ngot: ${got ?? ''}`)
    if (verdict === 'fail') return `  ${name}><failure message="${escaped(what ?? '')}">${text}</failure></testcase>`
    if (verdict === 'error') return `  ${name}><error message="${escaped(what ?? '')}">${text}</error></testcase>`
    if (verdict === 'unproven' || verdict === 'deviation' || verdict === 'inapplicable')
      return `  ${name}><skipped message="${escaped(what ?? verdict)}"/></testcase>`
    return `  ${name}/>`
  })
  const totals = `tests="${checks.length}" failures="${counts.fail}" errors="${counts.error}" skipped="${skippedOf(counts)}"`
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuite name="${escaped(subject.name)}" ${totals}>`,
    ...cases,
    '</testsuite>',
    '',
  ].join('\n')
}
