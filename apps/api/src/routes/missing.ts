import { StoreError, type SessionKey } from '@daybook/core'

export const noSession = ({ appName, userId, sessionId }: SessionKey): StoreError =>
  new StoreError('not_found', `There is no session ${sessionId} of user ${userId} in app ${appName}`)

export const noEvent = (eventId: string): StoreError =>
  new StoreError('not_found', `There is no event ${eventId} in this session`)

export const noArtifact = (name: string, version: number | undefined): StoreError =>
  new StoreError('not_found', `There is no file ${name}${version === undefined ? '' : ` of version ${version}`} here`)
