import type { Ctx } from '../context.ts'
import { Unproven } from '../expect.ts'

export async function indexedPaths(_ctx: Ctx): Promise<void> {
  throw new Unproven('no check yet')
}
