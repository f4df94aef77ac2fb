import { beforeEach } from 'vitest'
import { missingServer } from './server-url.ts'

beforeEach(({ skip }) => {
  if (missingServer !== undefined) skip(missingServer)
})
