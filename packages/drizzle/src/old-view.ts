import { StoreError, type StoredEvent } from '@daybook/core'

/** For a transaction that the application began, which goes on with what was when it first looked. `seq` has no gaps, so one shows. */
export const readsOldView = ({ sessionId }: { readonly sessionId: string }): StoreError =>
  new StoreError(
    'busy',
    `the transaction sees session ${sessionId} as it was before others appended to it; roll it back and begin it again`,
  )

/** Whether events up to `through`, which is among them, lack one after `afterSeq`. */
export function hasGap(events: readonly StoredEvent[], afterSeq: number, through: number): boolean {
  const place = events.findIndex(({ seq }) => seq === through)
  return place >= 0 && place + 1 < through - afterSeq
}
