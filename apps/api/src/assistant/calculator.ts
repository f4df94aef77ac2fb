/** What is wrong with an expression, in words for the person who wrote it. */
export class CalculationError extends Error {
  override readonly name = 'CalculationError'
}

type Token = { readonly text: string; readonly at: number; readonly value?: number }

const functions: Record<string, (x: number) => number> = {
  sqrt: Math.sqrt,
  abs: Math.abs,
  round: Math.round,
  floor: Math.floor,
  ceil: Math.ceil,
}
const constants: Record<string, number> = { pi: Math.PI, e: Math.E }
const longest = 500
const deepest = 50

/**
 * The value of an arithmetic expression: `+ - * / % ^`, parentheses, `sqrt abs round floor ceil`, `pi e`. `^` binds
 * tighter than a sign and to the right.
 *
 * @throws CalculationError saying what is wrong, and where
 */
export function calculate(expression: string): number {
  if (expression.length > longest) throw new CalculationError(`The expression is longer than ${longest} characters`)
  const value = new Parser(tokens(expression)).whole()
  if (Number.isNaN(value)) throw new CalculationError('The result is not a real number')
  if (!Number.isFinite(value)) throw new CalculationError('The result is too large')
  // Fifteen digits are exact in a double; more would show 0.1 + 0.2 as 0.30000000000000004.
  return Number(value.toPrecision(15))
}

function tokens(expression: string): Token[] {
  const list: Token[] = []
  const pattern = /\s*(?:(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)|([a-z]+)|(\*\*|[-+*/%^()×÷−])|(\S))/giy
  for (const match of expression.matchAll(pattern)) {
    const [whole, number, name, operator, other] = match
    const at = match.index + whole.length - whole.trimStart().length + 1
    if (other !== undefined) throw new CalculationError(`Unexpected "${other}" at position ${at}`)
    if (number === undefined)
      list.push({ text: canonical[operator ?? ''] ?? operator ?? name?.toLowerCase() ?? '', at })
    else list.push({ text: number, at, value: Number(number) })
  }
  return list
}

const canonical: Record<string, string> = { '×': '*', '÷': '/', '−': '-', '**': '^' }

/** Recursive descent: sum → product → sign → power → atom. */
class Parser {
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(list: readonly Token[]) {
    this.#tokens = list
  }

  whole(): number {
    const value = this.#sum()
    const rest = this.#tokens[this.#next]
    if (rest !== undefined) throw unexpected(rest)
    return value
  }

  #sum(): number {
    let value = this.#product()
    for (;;) {
      if (this.#take('+')) value += this.#product()
      else if (this.#take('-')) value -= this.#product()
      else return value
    }
  }

  #product(): number {
    let value = this.#sign()
    for (;;) {
      const operator = this.#tokens[this.#next]
      if (this.#take('*')) value *= this.#sign()
      else if (this.#take('/')) value /= this.#divisor(operator)
      else if (this.#take('%')) value %= this.#divisor(operator)
      else return value
    }
  }

  #divisor(operator: Token | undefined): number {
    const value = this.#sign()
    if (value === 0) throw new CalculationError(`Division by zero at position ${operator?.at ?? 0}`)
    return value
  }

  #sign(): number {
    return this.#deeper(() => {
      if (this.#take('-')) return -this.#sign()
      return this.#take('+') ? this.#sign() : this.#power()
    })
  }

  #power(): number {
    const base = this.#atom()
    return this.#take('^') ? base ** this.#sign() : base
  }

  #atom(): number {
    const token = this.#tokens[this.#next]
    if (token === undefined) throw new CalculationError('The expression ends too early')
    this.#next++
    if (token.value !== undefined) return token.value
    if (token.text === '(') return this.#closed(token)
    const constant = Object.hasOwn(constants, token.text) ? constants[token.text] : undefined
    if (constant !== undefined) return constant
    const apply = Object.hasOwn(functions, token.text) ? functions[token.text] : undefined
    if (apply === undefined)
      throw /[a-z]/.test(token.text)
        ? new CalculationError(`Unknown name "${token.text}" at position ${token.at}`)
        : unexpected(token)
    const open = this.#tokens[this.#next]
    if (open === undefined || !this.#take('('))
      throw new CalculationError(`"${token.text}" at position ${token.at} needs parentheses`)
    return apply(this.#closed(open))
  }

  #closed(open: Token): number {
    const value = this.#sum()
    if (this.#take(')')) return value
    const rest = this.#tokens[this.#next]
    throw rest === undefined ? new CalculationError(`The "(" at position ${open.at} is not closed`) : unexpected(rest)
  }

  #take(text: string): boolean {
    if (this.#tokens[this.#next]?.text !== text) return false
    this.#next++
    return true
  }

  /** Every nesting passes here, so a long row of parentheses or signs cannot exhaust the stack. */
  #deeper(parse: () => number): number {
    if (++this.#depth > deepest) throw new CalculationError(`The expression is nested deeper than ${deepest} levels`)
    const value = parse()
    this.#depth--
    return value
  }
}

const unexpected = ({ text, at }: Token) => new CalculationError(`Unexpected "${text}" at position ${at}`)
