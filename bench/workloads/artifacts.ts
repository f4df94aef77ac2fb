import { sessionAt } from '../seed.ts'
import type { Sequential } from './workload.ts'

const length = 1024 * 1024
const names = 8

export const saveArtifact: Sequential = {
  id: 'W9-save',
  title: 'save an artifact of 1 MiB',
  rounds: 15,
  chunk: 2,
  isForSome: true,
  async begin({ artifacts }, data) {
    if (artifacts === undefined) return undefined
    let turn = 0
    return () => {
      const bytes = data.bytes(length)
      const name = `report-${turn++ % names}.bin`
      return () => artifacts.save(sessionAt(0), name, bytes)
    }
  },
}

export const loadArtifact: Sequential = {
  id: 'W9-load',
  title: 'load an artifact of 1 MiB',
  rounds: 20,
  chunk: 2,
  isForSome: true,
  async begin({ artifacts }, data) {
    if (artifacts === undefined) return undefined
    await artifacts.save(sessionAt(1), 'loaded.bin', data.bytes(length))
    return () => () => artifacts.load(sessionAt(1), 'loaded.bin')
  },
}
