import { conformance } from '../../src/node.ts'
import { changed, lyingDelete } from '../broken-stores.ts'

conformance(changed(lyingDelete), { only: ['SES-01', 'SES-10'] })
