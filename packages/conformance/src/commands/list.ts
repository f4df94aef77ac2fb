import { groups, levels } from '../check.ts'
import { later } from '../later.ts'
import { createPlan } from '../plan.ts'
import { oneOf, parsed, UsageError, type Command } from './command.ts'

const options = { level: { type: 'string', default: 'durable' }, later: { type: 'boolean', default: false } } as const

export const list: Command = {
  usage: `list [--level ${levels.join('|')}] [--later]`,
  run(args) {
    const { values, positionals } = parsed({ args: [...args], allowPositionals: true, options })
    if (positionals.length > 0) throw new UsageError(`list takes no ${positionals.join(' ')}`)
    if (values.later) {
      for (const [id, reason] of Object.entries(later)) console.info(`${id} ${reason}`)
      return 0
    }
    const { planned } = createPlan(oneOf(values.level, levels, 'level'))
    for (const { key, level, rule } of planned) console.info(`${key} (${level}) ${rule}`)
    console.info(`${planned.length} checks in ${groups.length} groups`)
    return 0
  },
}
