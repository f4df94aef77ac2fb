import type { Command } from './command.ts'
import { clean } from './clean.ts'
import { explain } from './explain.ts'
import { init } from './init.ts'
import { list } from './list.ts'
import { matrix } from './matrix.ts'
import { replay } from './replay.ts'
import { run } from './run.ts'
import { verify } from './verify.ts'

export const commands: Readonly<Record<string, Command>> = { run, list, explain, replay, verify, matrix, clean, init }
