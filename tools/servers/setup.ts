import type { TestProject } from 'vitest/node'
import { findServers } from './find.ts'

/** Vitest's global set-up: finds the servers that a project says it needs, and stops those that were started for it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { backend = 'sqlite', backends = [] } = project.getProvidedContext() as Partial<
    ReturnType<TestProject['getProvidedContext']> // a project says what it wants to, and the types say that it says all
  >
  const started = await findServers([...backends, ...(backend === 'sqlite' ? [] : [backend])])
  return async () => {
    for (const instance of started) await instance.remove()
  }
}
