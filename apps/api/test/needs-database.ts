import { beforeEach } from 'vitest'
import { needsServer } from '../../../tools/servers/needs-server.ts'
import { backend } from './server-url.ts'

if (backend !== 'sqlite') beforeEach(needsServer(backend))
