// node --import @daybook/conformance/typescript --test
import { conformance } from '@daybook/conformance/node'
import subject from './my-store.conformance.ts'

conformance(subject)
