// What a search compares: words, by one pure function, so that a search means the same on every database.

/** So many distinct words of a text can be found, and so many of a query count. */
const wordsOfText = 10_000
const wordsOfQuery = 256

/** Longer texts are cut before they are looked at: normalising can make a text many times as long. */
const longestText = 250_000
const longestQuery = 100_000

const run = /[\p{L}\p{M}\p{N}_]+|\p{Regional_Indicator}{2}|\p{Extended_Pictographic}/gu
const ignorable = /\p{Default_Ignorable_Code_Point}/gu
const markSigns = /[\u2120\u2122]/g
/** Letters of scripts whose words are not, or not only, parted by spaces. */
const joined =
  /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]$/u
const anyJoined =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u
/** The one mark whose case folding is a letter, which begins a word of its own after a Han character. */
const iotaBelow = '\u0345'
const mark = /^\p{M}$/u
const humps = /(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u

/**
 * The distinct words of a text that can be found, in the order in which they come:
 *
 * - runs of letters, marks and digits of any script, without regard to case and to the forms that NFKC makes one; accents
 *   count, and characters that nobody sees (soft hyphen, joiners) do not;
 * - of an identifier such as `fooBar_baz` also its parts;
 * - of Han, kana, Hangul, Thai, Lao, Khmer and Burmese each character and each pair of neighbours;
 * - emoji, without skin tones; of those that are joined, each.
 *
 * Of a text the first 10,000 words, and of more than 250,000 characters the first 250,000.
 *
 * @example
 * ```ts
 * import { searchWords } from '@daybook/core'
 *
 * console.log(searchWords('Hello, HELLO 5k! fooBar')) // [ 'hello', '5k', 'foobar', 'foo', 'bar' ]
 * console.log(searchWords('東京都')) // [ '東', '東京', '京', '京都', '都' ]
 * ```
 */
export const searchWords = (text: string): string[] => distinct(text.slice(0, longestText), 'text', wordsOfText)

/**
 * The distinct words of a query. What other systems take for operators parts words, as in any text. Of Han, kana and the
 * like only the pairs count, where there are two characters: a sentence without spaces finds what shares most of it.
 * Of a longer query the first 256 words count.
 *
 * @example
 * ```ts
 * import { queryWords } from '@daybook/core'
 *
 * console.log(queryWords('"hello" -world* OR (东京)')) // [ 'hello', 'world', 'or', '东京' ]
 * ```
 */
export const queryWords = (text: string): string[] => distinct(text.slice(0, longestQuery), 'query', wordsOfQuery)

type Kind = 'text' | 'query'

function distinct(text: string, kind: Kind, most: number): string[] {
  const words = new Set<string>()
  // What NFKC writes as letters, TM for one, is no part of the word before it.
  const normal = text.replace(markSigns, ' ').normalize('NFKC').replace(ignorable, '').replaceAll(iotaBelow, 'ι')
  for (const [found] of normal.matchAll(run)) {
    for (const word of wordsOfRun(found, kind)) {
      if (words.size === most) return [...words]
      words.add(word)
    }
  }
  return [...words]
}

function* wordsOfRun(found: string, kind: Kind): Generator<string> {
  const parts = found.split('_').filter((part) => part !== '')
  if (parts.length > 1 && !anyJoined.test(found)) yield folded(parts.join('_'))
  for (const part of parts) {
    if (!anyJoined.test(part)) yield* spaced(part)
    else for (const { text, isJoined } of stretches(part)) yield* isJoined ? paired(clusters(text), kind) : spaced(text)
  }
}

/** A word, and what it is made of: `parseHTTPRequest`. */
function* spaced(part: string): Generator<string> {
  const pieces = part.split(humps)
  yield folded(part)
  if (pieces.length > 1) for (const piece of pieces) yield folded(piece)
}

function* paired(characters: readonly string[], kind: Kind): Generator<string> {
  for (const [i, character] of characters.entries()) {
    const next = characters[i + 1]
    if (kind === 'text' || characters.length === 1) yield folded(character)
    if (next !== undefined) yield folded(character + next)
  }
}

/** Stretches of one kind of script; a mark goes with what is before it. */
function stretches(part: string): { readonly text: string; readonly isJoined: boolean }[] {
  const found: { text: string; isJoined: boolean }[] = []
  for (const character of part) {
    const last = found.at(-1)
    const isJoined = last !== undefined && mark.test(character) ? last.isJoined : joined.test(character)
    if (last?.isJoined === isJoined) last.text += character
    else found.push({ text: character, isJoined })
  }
  return found
}

/** Characters with the marks on them. */
function clusters(text: string): string[] {
  const found: string[] = []
  for (const character of text) {
    if (found.length > 0 && mark.test(character)) found.push(`${found.pop() ?? ''}${character}`)
    else found.push(character)
  }
  return found
}

/** Case folding: by way of the capitals, so that ß and ẞ are ss, and without the sigma that ends a word. */
const folded = (word: string): string =>
  word.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKC')
