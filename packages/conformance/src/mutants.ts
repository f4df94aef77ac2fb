export type { Mutant, MutantId, MutantResult, Shared } from './mutant.ts'
export { mutants } from './mutants/index.ts'
export { wrapStore, type Overrides } from './wrap.ts'
