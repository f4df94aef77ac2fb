import { Type, type Static, type TSchema } from 'typebox'

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 0, description: 'At most 1000; default 100' })),
  cursor: Type.Optional(Type.String({ description: 'The `nextCursor` of the page before, of the same list' })),
  offset: Type.Optional(Type.Integer({ minimum: 0, description: 'Skips so many rows; prefer `cursor`' })),
}

export const PageOf = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: ListOf(item), nextCursor: Type.Union([Type.String(), Type.Null()]) })

/** The store answers read-only lists. */
export const ListOf = <Item extends TSchema>(item: Item, description?: string) =>
  Type.Unsafe<readonly Static<Item>[]>(Type.Array(item, description === undefined ? {} : { description }))
