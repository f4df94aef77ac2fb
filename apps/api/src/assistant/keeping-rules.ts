import type { Plan, Rule } from './plan.ts'
import type { ToolResult } from './tool-context.ts'
import type { ToolCall } from './tools.ts'
import { isRecord } from './turn-events.ts'

/** Notes, which are found again in every session of the user, and files. */
export const keepingRules: readonly Rule[] = [
  {
    // "note that the tea is green", "save a note: buy milk"
    pattern: /^(?:note(?: that\b|:)|(?:save|make|take|add) (?:a|this) note(?: that\b|:))\s*(?<text>\S.*)$/is,
    isVerbatim: true,
    plan: ({ text = '' }) =>
      uses({ name: 'save_note', args: { text } }, ({ noted }) => `I have noted: ${String(noted)}`),
  },
  {
    pattern:
      /^(?:search (?:in )?my notes for|look (?:in|through) my notes for|what do my notes say about)\s+(?<query>.{1,200})$/i,
    plan: ({ query = '' }) =>
      uses({ name: 'search_notes', args: { query } }, ({ notes }) => {
        const found = listIn(notes).map((note) => `\n- ${String(note)}`)
        return found.length === 0 ? `Your notes say nothing about ${query}.` : `Your notes say:${found.join('')}`
      }),
  },
  {
    // "save this as tea.txt: …", "save this file as user:plan.txt: …", which is then a file of the user
    pattern:
      /^save (?:this|the following|a)(?: file| text)? as\s+(?<name>(?:user:)?[^\s:][^:\r\n]{0,99}?)\s*:[^\S\n]*\n?(?<text>.*\S.*)$/is,
    isVerbatim: true,
    plan: ({ name = '', text = '' }) =>
      uses(
        { name: 'save_file', args: { name, text } },
        ({ version, size }) => `I have saved ${name} (version ${String(version)}, ${String(size)} bytes).`,
      ),
  },
  {
    pattern: /^(?:read|show|open)(?: me)? (?:the|my) file\s+(?<name>.{1,150})$/i,
    plan: ({ name = '' }) =>
      uses({ name: 'read_file', args: { name } }, ({ text, truncated }) =>
        truncated === true ? `${name} begins with:\n${String(text)}\n… and goes on.` : `${name} says:\n${String(text)}`,
      ),
  },
  {
    pattern: /^(?:(?:list|show)(?: me)? (?:my|the|all) files|(?:what|which) files (?:do i have|are there))[.!?]*$/i,
    plan: () =>
      uses({ name: 'list_files', args: {} }, ({ files, more }) => {
        const names = listIn(files).map((file) =>
          isRecord(file) ? `${String(file['name'])} (${String(file['size'])} bytes)` : '',
        )
        if (names.length === 0) return 'You have no files yet.'
        return `Your files: ${names.join(', ')}${more === true ? ', and more' : ''}.`
      }),
  },
]

/** A plan of one call, and what to say when it went well. */
const uses = (call: ToolCall, say: (result: ToolResult) => string): Plan => ({
  tools: [call],
  answer: (_state, [result = {}]) => ({
    text: typeof result['error'] === 'string' ? `That did not work. ${result['error']}.` : say(result),
  }),
})

const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
