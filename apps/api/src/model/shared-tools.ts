import { FunctionTool } from '@google/adk'
import { z } from 'zod'
import type { TurnContext } from '../assistant/assistant.ts'
import { callTool, type ToolCall } from '../assistant/tools.ts'

/** What the tools of a turn work with. */
export type ToolTurn = Pick<TurnContext, 'store' | 'key' | 'message'>

interface SharedTool {
  readonly name: ToolCall['name']
  readonly description: string
  readonly parameters: z.ZodObject<z.ZodRawShape>
}

const fileName = z
  .string()
  .min(1)
  .max(150)
  .describe('As in `plan.txt`, of this conversation; as in `user:plan.txt`, of the user, in all conversations')

const declared: readonly SharedTool[] = [
  {
    name: 'calculator',
    description: 'Calculates exactly what you would only guess.',
    parameters: z.object({
      expression: z
        .string()
        .min(1)
        .max(500)
        .describe('As in `2 * (3 + 4) ^ 2 / sqrt(pi)`; also % abs round floor ceil e'),
    }),
  },
  {
    name: 'clock',
    description: 'Tells the date and the time.',
    parameters: z.object({
      place: z
        .string()
        .max(60)
        .optional()
        .describe('A time zone, or a city that gives one its name; without it, that of the server'),
    }),
  },
  {
    name: 'save_note',
    description: 'Writes a note of the user, which is found again in all their conversations.',
    parameters: z.object({ text: z.string().min(1).max(8000) }),
  },
  {
    name: 'search_notes',
    description: 'Finds notes of the user by their words: the few that fit best.',
    parameters: z.object({
      query: z.string().min(1).max(500).describe('Words that the note may have, as in `green tea`'),
    }),
  },
  {
    name: 'save_file',
    description: 'Saves a text as the next version of a file, which the user can download.',
    parameters: z.object({ name: fileName, text: z.string().max(100_000).describe('The whole content') }),
  },
  { name: 'read_file', description: 'Reads the beginning of a file.', parameters: z.object({ name: fileName }) },
  {
    name: 'list_files',
    description: 'Lists the files of this conversation and of the user.',
    parameters: z.object({}),
  },
]

/** The tools that the rule-based assistant has, too: the same functions, and what a model is told of them. */
export const sharedTools = ({ store, key, message }: ToolTurn): FunctionTool<SharedTool['parameters']>[] =>
  declared.map(
    ({ name, ...tool }) =>
      new FunctionTool({
        ...tool,
        name,
        execute: (args, context) => {
          const callId = context?.functionCallId ?? ''
          return callTool({ name, args: textsIn(args) }, { store, key, messageId: message.id, callId })
        },
      }),
  )

/** A model may leave a place empty that it need not name. */
const textsIn = (args: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(args).flatMap(([name, value]) => (typeof value === 'string' && value !== '' ? [[name, value]] : [])),
  )
