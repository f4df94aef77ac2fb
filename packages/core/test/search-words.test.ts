import { queryWords, searchWords } from '@daybook/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyText } from './arbitraries.ts'

describe('the words of a text', () => {
  test.each([
    ['', []],
    ['Hello, HELLO — world!', ['hello', 'world']],
    ['I am 5k is', ['i', 'am', '5k', 'is']],
    ['ﬁne ＡＢＣ１２ ½', ['fine', 'abc12', '1', '2']],
    ['straße STRASSE STRAẞE', ['strasse']],
    ['ΟΔΟΣ οδος Οδός', ['οδοσ', 'οδόσ']],
    ['café cafe\u0301 cafe', ['café', 'cafe']],
    ['soft\u00adhyphen', ['softhyphen']],
    ['Acme™ (C)', ['acme', 'c']],
    ['नमस्ते दुनिया', ['नमस्ते', 'दुनिया']],
    ['مرحبا بالعالم', ['مرحبا', 'بالعالم']],
    ['می\u200cخواهم', ['میخواهم']],
    ['東京', ['東', '東京', '京']],
    ['コンピュータ', ['コ', 'コン', 'ン', 'ンピ', 'ピ', 'ピュ', 'ュ', 'ュー', 'ー', 'ータ', 'タ']],
    ['ｶﾞｽ', ['ガ', 'ガス', 'ス']],
    ['서울에', ['서', '서울', '울', '울에', '에']],
    ['iPhone15を買う', ['iphone15', 'i', 'phone15', 'を', 'を買', '買', '買う', 'う']],
    ['👍🏽👍 👨‍👩‍👧 🇳🇴', ['👍', '👨', '👩', '👧', '🇳🇴']],
    ['fooBar_baz', ['foobar_baz', 'foobar', 'foo', 'bar', 'baz']],
    ['parseHTTPRequest', ['parsehttprequest', 'parse', 'http', 'request']],
    ['__init__ _ a.b-c', ['init', 'a', 'b', 'c']],
    ['\ud800x\udc00y\0z', ['x', 'y', 'z']],
  ])('%j', (text, words) => {
    expect(searchWords(text)).toEqual(words)
  })

  test('of scripts without spaces a query has the pairs, and one character where there is no pair', () => {
    expect(queryWords('東京都 水')).toEqual(['東京', '京都', '水'])
    expect(queryWords('สวัสดี')).toEqual(['สวั', 'วัส', 'สดี'])
  })

  test('count so far, and no further', () => {
    const many = Array.from({ length: 12_000 }, (_, i) => `w${i}`).join(' ')
    expect([searchWords(many).length, queryWords(many).length]).toEqual([10_000, 256])
    expect(searchWords('\ufdfa'.repeat(2_000_000)).length).toBeGreaterThan(0)
  })

  test('of a mark that is a letter in capitals are those of the letter', () => {
    expect(searchWords('一\u0345 x\u0345')).toEqual(['一', 'ι', 'xι'])
  })

  test('whatever the text: distinct, not empty, found again by themselves, and the query of a text finds it', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: 'grapheme', maxLength: 40 })), (text) => {
        const words = searchWords(text)
        expect(new Set(words).size).toBe(words.length)
        for (const word of words) {
          expect(word).toMatch(/[\p{L}\p{M}\p{N}\p{Regional_Indicator}\p{Extended_Pictographic}]/u)
          expect(searchWords(word)).toContain(word)
        }
        for (const word of queryWords(text)) expect(words).toContain(word)
      }),
      { numRuns: 500 },
    )
  })
})
