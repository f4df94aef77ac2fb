import { CalculationError, calculate } from './calculator.ts'
import { readClock } from './clock.ts'
import { listFiles, readFile, saveFile } from './files.ts'
import { forgetEverything } from './forgetting.ts'
import { saveNote, searchNotes } from './notes.ts'
import { refusalIn, type ToolContext, type ToolResult } from './tool-context.ts'

export interface ToolCall {
  readonly name: ToolName
  readonly args: Readonly<Record<string, string>>
}

type ToolName = keyof typeof tools
type Args = ToolCall['args']

const tools = {
  calculator: ({ expression = '' }: Args): ToolResult => {
    try {
      return { value: calculate(expression) }
    } catch (error) {
      if (error instanceof CalculationError) return { error: error.message }
      throw error
    }
  },
  clock: ({ place }: Args): ToolResult => {
    const reading = readClock(place)
    return reading === undefined ? { error: `I know no time zone called ${place}` } : { ...reading }
  },
  save_note: ({ text = '' }: Args, context: ToolContext) => saveNote(context, text),
  search_notes: ({ query = '' }: Args, context: ToolContext) => searchNotes(context, query),
  save_file: ({ name = '', text = '' }: Args, context: ToolContext) => saveFile(context, name, text),
  read_file: ({ name = '' }: Args, context: ToolContext) => readFile(context, name),
  list_files: (_args: Args, context: ToolContext) => listFiles(context),
  forget_everything: (_args: Args, context: ToolContext) => forgetEverything(context),
}

/** Calls a tool. A call that is repeated with the same context stores nothing a second time. */
export async function callTool({ name, args }: ToolCall, context: ToolContext): Promise<ToolResult> {
  try {
    return await tools[name](args, context)
  } catch (error) {
    return refusalIn(error)
  }
}
