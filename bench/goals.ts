// What Daybook set out to reach, and what a run says of it. Ratios are of medians, to the limit's in the same run.
import { growthReasonOf, leadReasonOf, reasonOf } from './reasons.ts'
import { yardstick, type Line, type Run } from './result.ts'

export interface Verdict {
  readonly goal: string
  readonly measured: string
  readonly isMet: boolean
  /** Of one that was missed, where it is known. */
  readonly why?: string
}

/** At most so many times the limit's median, for workloads whose ids begin like that. */
const most: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  pg: { W1: 1.2, W2: 1.1, W3: 1.1, W4: 1.15, W5: 1.1 },
  mariadb: { W1: 1.15, W2: 1.15, W3: 1.1, W4: 1.2, W5: 1.1 },
  mysql: { W1: 1.15, W2: 1.15, W3: 1.1, W4: 1.2, W5: 1.1 },
  sqlite: { W1: 1.3, W2: 1.3, W3: 1.3, W4: 1.3, W5: 1.3 },
}
const mostOfClient = 1.6
const leastOfMany = 0.95
const leastOfOne = 3
const mostGrowth = 1.2
const leastLead = 8
const leastShare = 0.9

const isOwn = (contender: string) => contender === 'daybook' || /^daybook-(?!adk)/.test(contender)

export const verdictsOf = (run: Run): readonly Verdict[] => [
  ...alone(run),
  ...atOnce(run),
  ...growth(run),
  ...leads(run),
  ...losses(run),
]

function alone(run: Run): Verdict[] {
  const { backend, lines } = run
  return lines.flatMap((line) => {
    const { workload, contender, ratio } = line
    const own = most[backend]?.[/^W\d+/.exec(workload)?.[0] ?? '']
    if (!isOwn(contender) || ratio === undefined || own === undefined) return []
    const goal = contender.endsWith('libsql-client') ? mostOfClient : own
    const isMet = ratio <= goal
    const why = isMet ? undefined : reasonOf(run, workload, contender)
    return [verdict(`${workload}, ${contender}: ≤ ${goal} of the limit's time`, ratio, isMet, why)]
  })
}

const atOnce = (run: Run): Verdict[] =>
  run.lines.flatMap(({ workload, contender, ratio }) => {
    if (!isOwn(contender) || ratio === undefined || !workload.startsWith('W6')) return []
    const goal = workload === 'W6a' ? leastOfMany : leastOfOne
    const isMet = ratio >= goal
    const why = isMet ? undefined : reasonOf(run, workload, contender)
    return [verdict(`${workload}, ${contender}: ≥ ${goal} of the limit's operations`, ratio, isMet, why)]
  })

const grown: readonly (readonly [kind: string, what: string, of: string])[] = [
  ['append', 'to append', 'events'],
  ['load', 'to load 50 events', 'events'],
  ['list', 'to list 50 sessions', 'of a user'],
]

const growth = (run: Run): Verdict[] =>
  grown.flatMap(([kind, what, of]) => {
    const [first, last] = endsOf(run, kind, 'daybook')
    const [ratio, own] = [growthOf(run, kind, 'daybook'), growthOf(run, kind, yardstick)]
    if (first === undefined || last === undefined || ratio === undefined) return []
    const goal = `W7: ${what} among ${last} ${of} takes ≤ ${mostGrowth} of the time that it takes among ${first}`
    const isMet = ratio <= mostGrowth
    const why = isMet || own === undefined ? undefined : growthReasonOf(run, kind, own)
    return [verdict(goal, ratio, isMet, why)]
  })

const kindOf = (run: Run, kind: string, contender: string) =>
  run.lines.filter(
    (line) => line.workload.startsWith(`W7-${kind}-`) && line.contender === contender && line.spread !== undefined,
  )

const endsOf = (run: Run, kind: string, contender: string) => {
  const sizes = kindOf(run, kind, contender).map(({ workload }) => workload.replace(`W7-${kind}-`, ''))
  return sizes.length < 2 ? [] : [sizes[0], sizes.at(-1)]
}

function growthOf(run: Run, kind: string, contender: string): number | undefined {
  const [first, ...others] = kindOf(run, kind, contender)
  const last = others.at(-1)
  return first?.spread === undefined || last?.spread === undefined ? undefined : last.spread.p50 / first.spread.p50
}

/** How many times faster than ADK, or nearly as far ahead of it as the limit is. */
const leads = (run: Run): Verdict[] =>
  run.lines.flatMap((line) => {
    const at = (contender: string) =>
      run.lines.find((other) => other.workload === line.workload && other.contender === contender)
    const [adk, limit] = [at('adk'), at(yardstick)]
    if (line.contender !== 'daybook' || adk === undefined || limit === undefined) return []
    const [lead, best] = [leadOf(line, adk), leadOf(limit, adk)]
    if (lead === undefined || best === undefined) return []
    const goal = Math.min(leastLead, leastShare * best)
    const why = lead >= goal ? undefined : leadReasonOf(run, line.workload, line.contender)
    return [verdict(`${line.workload}: ≥ ${goal.toFixed(1)} times as fast as ADK's own`, lead, lead >= goal, why)]
  })

function leadOf(one: Line, other: Line): number | undefined {
  if (one.perSecond !== undefined && other.perSecond !== undefined) return one.perSecond / other.perSecond
  return one.spread === undefined || other.spread === undefined ? undefined : other.spread.p50 / one.spread.p50
}

const losses = ({ lines, contenders }: Run): Verdict[] =>
  contenders
    .filter(({ name }) => name.startsWith('daybook'))
    .map(({ name, verdict: found }) => {
      const own = lines.filter(({ contender }) => contender === name)
      const lost = own.reduce((sum, line) => sum + (line.lost ?? 0), 0)
      const errors = own.reduce((sum, line) => sum + line.errors, 0)
      const kept = (found?.keptSessionKeys ?? 16) + (found?.keptUserKeys ?? 16)
      return {
        goal: `${name}: nothing lost, no error`,
        measured: `${lost} events lost, ${errors} errors, ${kept} of 32 keys kept`,
        isMet: lost === 0 && errors === 0 && kept === 32 && (found?.faults.length ?? 0) === 0,
      }
    })

const verdict = (goal: string, ratio: number, isMet: boolean, why?: string): Verdict => ({
  goal,
  measured: ratio.toFixed(2),
  isMet,
  ...(why !== undefined && { why }),
})
