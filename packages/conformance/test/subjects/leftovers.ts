// A subject whose places are folders, of which killed runs left some.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { memory } from '../memory-subject.ts'

const folder = process.env['DAYBOOK_TEST_FOLDER'] ?? '.'

export default {
  ...memory,
  leftovers: { list: () => readdir(folder), drop: (id: string) => rm(join(folder, id), { recursive: true }) },
}
