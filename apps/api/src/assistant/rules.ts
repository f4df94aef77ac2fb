import { factKey, factPrefix, homeKey, nameKey, topicKey } from './facts.ts'
import { keepingRules } from './keeping-rules.ts'
import type { Answer, Plan, Rule } from './plan.ts'
import type { ToolResult } from './tool-context.ts'

type State = Readonly<Record<string, unknown>>

const says = (answer: (state: State) => Answer): Plan => ({ tools: [], answer })
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const introduction =
  'I am a rule-based assistant: no language model, no network, just patterns. I can remember things ("my name is Ann", "I live in Oslo", ' +
  '"remember that my cat is Tom"), tell what I know ("what do you know about me"), forget it ("forget my cat"), keep a topic ' +
  '("let\'s talk about tea"), write notes ("note that the tea is green", "search my notes for tea") and files ("save this as tea.txt: green", ' +
  '"read the file tea.txt", "list my files"), calculate ("what is 2 + 2 * 10") and read the clock ("what time is it in Tokyo").'

/** The first one that fits decides, so the narrow ones come first. */
export const rules: readonly Rule[] = [
  {
    pattern:
      /^(?:hi|hello|hey|good (?:morning|evening|day)|help|who are you|what can you do)\b[^a-z]*(?:there)?[.!?]*$/i,
    plan: () =>
      says((state) => ({
        text: `Hello${state[nameKey] === undefined ? '' : `, ${text(state[nameKey])}`}! ${introduction}`,
      })),
  },
  ...keepingRules,
  {
    pattern: /^(?:my name is|call me|i am called)\s+(?<name>.{1,100})$/i,
    plan: ({ name = '' }) => says(() => ({ text: `Nice to meet you, ${name}.`, set: { [nameKey]: name } })),
  },
  {
    pattern: /^i(?: live|'m| am) (?:in|from)\s+(?<home>.{1,100})$/i,
    plan: ({ home = '' }) =>
      says(() => ({ text: `I will remember that you live in ${home}.`, set: { [homeKey]: home } })),
  },
  {
    pattern: /^remember(?: that)?\s+(?<subject>.{1,100}?)\s+(?:is|are)\s+(?<value>.{1,500})$/i,
    plan: ({ subject = '', value = '' }) =>
      says(() => ({
        text: `I will remember that ${toUser(subject)} is ${value}.`,
        set: { [factKey(subject)]: value },
      })),
  },
  {
    pattern: /^(?:what(?:'s| is) my name|who am i)\b[.!?]*$/i,
    plan: () =>
      says((state) => ({
        text:
          state[nameKey] === undefined ? 'You have not told me your name.' : `Your name is ${text(state[nameKey])}.`,
      })),
  },
  {
    pattern: /^where do i live\b[.!?]*$/i,
    plan: () =>
      says((state) => ({
        text:
          state[homeKey] === undefined
            ? 'You have not told me where you live.'
            : `You live in ${text(state[homeKey])}.`,
      })),
  },
  {
    pattern: /^what do you (?:know|remember)(?: about me)?\b[.!?]*$/i,
    plan: () => says((state) => ({ text: known(state) })),
  },
  {
    pattern: /^forget\s+(?:(?<everything>everything|me|all)(?: about me)?[.!?]*|(?<subject>.{1,100}))$/i,
    plan: ({ everything = '', subject = '' }) =>
      everything === ''
        ? says((state) => forgetOne(subject, state))
        : { tools: [{ name: 'forget_everything', args: {} }], answer: forgetAll },
  },
  {
    pattern: /^(?:let's|let us|i want to|can we) talk about\s+(?<topic>.{1,200})$/i,
    plan: ({ topic = '' }) => says(() => ({ text: `Let us talk about ${topic}.`, set: { [topicKey]: topic } })),
  },
  {
    pattern: /^what(?: are we talking about|(?:'s| is) (?:our|the) (?:topic|subject))[.!?]*$/i,
    plan: () =>
      says((state) => ({
        text:
          state[topicKey] === undefined ? 'We have no topic yet.' : `We are talking about ${text(state[topicKey])}.`,
      })),
  },
  {
    // "what time is it in Oslo", "what is the date today", "time in New York"
    pattern:
      /^(?:what(?:'s| is) the |what |tell me the )?(?<what>time|date|day)(?: is it)?(?: today| now)?(?: in (?<place>[\p{L}\d_/ +-]{1,60}))?[.!?]*$/iu,
    plan: ({ what = '', place = '' }) => clockPlan(what.toLowerCase(), place),
  },
  {
    pattern: /^(?:calculate|compute|evaluate)\s+(?<expression>.+)$/i,
    plan: ({ expression = '' }) => calculatorPlan(expression),
  },
  {
    // Without a verb it has to look like arithmetic: a digit, and nothing but what the calculator reads.
    pattern:
      /^(?:what(?:'s| is)|how much is)?\s*(?<expression>(?=.*\d)(?:[-+*/%^().\d\s×÷−]|\b(?:sqrt|abs|round|floor|ceil|pi|e)\b)+)[=?!\s]*$/i,
    plan: ({ expression = '' }) => calculatorPlan(expression),
  },
]

const calculatorPlan = (expression: string): Plan => ({
  tools: [{ name: 'calculator', args: { expression } }],
  answer: (_state, [result]) => ({
    text:
      typeof result?.['value'] === 'number'
        ? `${expression} = ${result['value']}`
        : `I cannot calculate that. ${text(result?.['error'])}.`,
  }),
})

const clockPlan = (what: string, place: string): Plan => ({
  tools: [{ name: 'clock', args: place === '' ? {} : { place } }],
  answer: (_state, [result]) => {
    const { error, time, date, zone } = result ?? {}
    if (error !== undefined) return { text: `${text(error)}.` }
    return {
      text:
        what === 'time'
          ? `It is ${text(time)} on ${text(date)} (${text(zone)}).`
          : `Today is ${text(date)} (${text(zone)}).`,
    }
  },
})

/** What to say when no rule fits: a fact that was asked for, or what the assistant can do. */
export function recall(message: string, state: State): Answer {
  const subject = /^(?:what|who)(?:'s| is| are)\s+(.{1,100}?)[.!?]*$/i.exec(message)?.[1]
  const fact = subject === undefined ? undefined : text(state[factKey(subject)])
  if (subject !== undefined && fact !== undefined) return { text: `${capital(toUser(subject))} is ${fact}.` }
  const topic = text(state[topicKey])
  const about = topic === undefined ? '' : ` (We are talking about ${topic}.)`
  return {
    text: `${subject === undefined ? 'I did not understand that.' : 'I do not know that.'}${about} ${introduction}`,
  }
}

function known(state: State): string {
  const facts = Object.entries(state).flatMap(([key, value]) =>
    key.startsWith(factPrefix) ? [`${toUser(key.slice(factPrefix.length))} is ${text(value)}`] : [],
  )
  const name = state[nameKey] === undefined ? [] : [`your name is ${text(state[nameKey])}`]
  const home = state[homeKey] === undefined ? [] : [`you live in ${text(state[homeKey])}`]
  const all = [...name, ...home, ...facts.toSorted()]
  return all.length === 0 ? 'I know nothing about you yet.' : `I know that ${all.join('; ')}.`
}

function forgetOne(subject: string, state: State): Answer {
  const keys: Record<string, string> = {
    'my name': nameKey,
    'where i live': homeKey,
    'my home': homeKey,
    'the topic': topicKey,
  }
  const wanted = subject.toLowerCase()
  const key = Object.hasOwn(keys, wanted) ? (keys[wanted] ?? '') : factKey(subject)
  if (!Object.hasOwn(state, key)) return { text: `There is nothing to forget: I do not know ${toUser(subject)}.` }
  return { text: `I have forgotten ${toUser(subject)}.`, unset: [key] }
}

/** The notes, the files and the other conversations are gone already; the facts go with the answer. */
function forgetAll(state: State, [result = {}]: readonly ToolResult[]): Answer {
  if (result['error'] !== undefined) return { text: `That did not work. ${text(result['error'])}.` }
  const keys = Object.keys(state).filter((key) => key === nameKey || key === homeKey || key.startsWith(factPrefix))
  return {
    text: 'I have forgotten everything about you, your notes, your files and our other conversations. What we have said here stays until you delete it.',
    unset: keys,
  }
}

const toUser = (subject: string): string => subject.replaceAll(/\bmy\b/gi, 'your').replaceAll(/\bi\b/gi, 'you')
const capital = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1)
