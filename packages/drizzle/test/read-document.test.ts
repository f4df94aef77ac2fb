import { toStorableJson } from '@daybook/core'
import { describe, expect, test } from 'vitest'
import { documentIn, readEarly } from '../src/read-document.ts'

describe('a text that comes', () => {
  test('is read where it is the document itself', () => {
    expect(documentIn(readEarly('{ "n": 1.50, "list": [] }'))).toEqual({ n: 1.5, list: [] })
  })

  test.for([
    ['no document', 'ann'],
    ['a list', '[1]'],
    ['nothing', ''],
    ['no JSON, though it begins like a document', '{ann}'],
    ['a document with a NUL in it', toStorableJson({ a: 'x\0y' })],
    ['a document with a lone surrogate in it', toStorableJson({ a: '\ud800' })],
    ['a document with a mark of the storable form in it', toStorableJson({ a: '\ud7ff0' })],
    ['a document in which a codec encoded a value', String.raw`{"a":"\u0001=k1:AA"}`],
  ])('stays as it is where it is %s', ([, text]) => {
    expect(readEarly(String(text))).toBe(text)
    expect(documentIn(text)).toBe(text)
  })
})
