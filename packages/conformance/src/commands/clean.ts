import { leftBefore } from '../left-places.ts'
import { loadSubject } from '../subject-file.ts'
import { onlyOne, parsed, wholeNumber, type Command } from './command.ts'

const options = {
  'older-than': { type: 'string', default: '60' },
  'dry-run': { type: 'boolean', default: false },
} as const

/** Drops the places that killed runs left. Those of the last hour stay: their run may still go on. */
export const clean: Command = {
  usage: 'clean <store.ts> [--older-than minutes] [--dry-run]',
  async run(args) {
    const { values, positionals } = parsed({ args: [...args], allowPositionals: true, options })
    const path = onlyOne(positionals, 'the file of the store')
    const minutes = wholeNumber(values['older-than'], 'older-than')
    const { leftovers } = await loadSubject(path)
    if (leftovers === undefined) {
      console.info(`${path} has no leftovers(), so only its author can tell what killed runs left`)
      return 2
    }
    const left = leftBefore(await leftovers.list(), Date.now() - minutes * 60_000)
    for (const id of left) {
      if (!values['dry-run']) await leftovers.drop(id)
      console.info(`${values['dry-run'] ? 'would drop' : 'dropped'} ${id}`)
    }
    console.info(`${left.length} places of killed runs`)
    return 0
  },
}
