import { CalculationError, calculate } from './calculator.ts'
import { readClock } from './clock.ts'

export interface ToolCall {
  readonly name: ToolName
  readonly args: Readonly<Record<string, string>>
}

/** What a tool answered, as it is stored; `error` is a sentence. */
export type ToolResult = Readonly<Record<string, unknown>>

type ToolName = keyof typeof tools

const tools = {
  calculator: ({ expression = '' }: ToolCall['args']): ToolResult => {
    try {
      return { value: calculate(expression) }
    } catch (error) {
      if (error instanceof CalculationError) return { error: error.message }
      throw error
    }
  },
  clock: ({ place }: ToolCall['args']): ToolResult => {
    const reading = readClock(place)
    return reading === undefined ? { error: `I know no time zone called ${place}` } : { ...reading }
  },
}

export const callTool = ({ name, args }: ToolCall): ToolResult => tools[name](args)
