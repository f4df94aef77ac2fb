import { readFile } from 'node:fs/promises'
import { createContext, Script } from 'node:vm'
import { onTestFinished } from 'vitest'
import { sseIn, until } from './start.ts'

const script = new Script(await readFile(new URL('../public/chat.js', import.meta.url), 'utf8'))

type Listener = (event: object) => void

/** As much of an element as the page uses. */
class Element {
  readonly dataset: Record<string, string> = {}
  readonly scrollHeight = 0
  hidden = false
  value = ''
  className = ''
  children: Element[] = []
  #parent: Element | undefined
  #text = ''
  readonly #attributes = new Map<string, string>()
  readonly #listeners: Record<string, Listener[]> = {}

  get textContent(): string {
    return this.#text + this.children.map(({ textContent }) => textContent).join('')
  }
  set textContent(text: string) {
    this.replaceChildren()
    this.#text = text
  }
  append(...nodes: (Element | string)[]): void {
    for (const node of nodes) this.#add(typeof node === 'string' ? textNode(node) : node, this.children.length)
  }
  after(node: Element): void {
    const parent = this.#parent
    if (parent !== undefined) parent.#add(node, parent.children.indexOf(this) + 1)
  }
  replaceChildren(): void {
    this.#text = ''
    this.children = []
  }
  remove(): void {
    if (this.#parent !== undefined) this.#parent.children = this.#parent.children.filter((one) => one !== this)
  }
  /** By a class or a `data-` attribute. */
  querySelector(selector: string): Element | null {
    const [, name = '', value] = /^\[data-(\w+)="(.*)"\]$/.exec(selector) ?? []
    return (
      this.children.find((one) => `.${one.className}` === selector || (name !== '' && one.dataset[name] === value)) ??
      null
    )
  }
  setAttribute(name: string, value: string): void {
    this.#attributes.set(name, value)
  }
  removeAttribute(name: string): void {
    this.#attributes.delete(name)
  }
  addEventListener(type: string, listener: Listener): void {
    ;(this.#listeners[type] ??= []).push(listener)
  }
  dispatch(type: string): void {
    for (const listener of this.#listeners[type] ?? []) listener({ target: this, preventDefault: () => {} })
  }
  focus(): void {}
  setCustomValidity(): void {}

  #add(node: Element, at: number): void {
    node.#parent = this
    this.children.splice(at, 0, node)
  }
}

function textNode(text: string): Element {
  const node = new Element()
  node.textContent = text
  return node
}

/** A browser's source of events, which comes back by itself when its stream ends, and gives up when it is refused. */
class Source {
  static readonly CLOSED = 2
  readyState = 0
  readonly #listeners: Record<string, Listener[]> = {}
  readonly #url: string
  readonly #given = new AbortController()

  constructor(url: string) {
    this.#url = url
    void this.#run()
  }
  addEventListener(type: string, listener: Listener): void {
    ;(this.#listeners[type] ??= []).push(listener)
  }
  close(): void {
    this.readyState = Source.CLOSED
    this.#given.abort()
  }
  async #run(): Promise<void> {
    while (this.readyState !== Source.CLOSED) {
      await this.#connect().catch(() => {}) // the listeners are told of it
      if (this.readyState !== Source.CLOSED) this.#dispatch('error', {})
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  async #connect(): Promise<void> {
    const response = await fetch(this.#url, { signal: this.#given.signal })
    if (!response.ok) {
      this.readyState = Source.CLOSED
      return this.#dispatch('error', {})
    }
    this.#dispatch('open', {})
    for await (const { event = '', data } of sseIn(response))
      if (this.readyState !== Source.CLOSED) this.#dispatch(event, { data: JSON.stringify(data) })
  }
  #dispatch(type: string, event: object): void {
    for (const listener of this.#listeners[type] ?? []) listener({ ...event, target: this })
  }
}

interface Page {
  /** What is shown, a line for each entry or problem. */
  lines(): string[]
  status(): string
  say(text: string): void
  go(conversation: string): void
  /** What was said and waits for an answer. */
  unanswered(): string[]
  /** How many streams of events are open. */
  streams(): number
}

/** How a page asks; a test may answer in place of the server, or later. */
export type Ask = (url: string, init?: RequestInit) => Promise<Response>

/** The page of a server, as a browser runs it, at the conversation `a` of the user `ann`, until the test ends. */
export async function openPage(server: string, ask: Ask = fetch): Promise<Page> {
  const byId = new Map<string, Element>()
  const element = (id: string): Element => {
    const known = byId.get(id) ?? new Element()
    byId.set(id, known)
    return known
  }
  const kept = new Map([['daybook-user', 'ann']])
  const sources = new Set<Source>()
  const timers = new Set<NodeJS.Timeout>()
  const location = { hash: '#a' }
  const moved: (() => unknown)[] = []
  const context = createContext({
    document: { getElementById: element, createElement: () => new Element() },
    localStorage: {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => void kept.set(name, value),
    },
    location,
    history: { replaceState: () => {} },
    addEventListener: (_type: 'hashchange', listener: () => unknown) => moved.push(listener),
    fetch: (path: string, init?: RequestInit) => ask(server + path, init),
    EventSource: class extends Source {
      constructor(path: string) {
        super(server + path)
        sources.add(this)
      }
    },
    ResizeObserver: class {
      observe(): void {}
    },
    HTMLButtonElement: Element,
    TextDecoderStream,
    crypto,
    setTimeout: (then: () => void, milliseconds: number) => {
      const timer = setTimeout(then, milliseconds / 20)
      timers.add(timer)
      return timer
    },
    clearTimeout,
  })
  onTestFinished(() => {
    for (const timer of timers) clearTimeout(timer)
    for (const source of sources) source.close()
  })
  script.runInContext(context)
  return {
    lines: () => element('conversation').children.map(({ textContent }) => textContent),
    status: () => element('status').textContent,
    say(text) {
      element('text').value = text
      element('form').dispatch('submit')
    },
    go(conversation) {
      location.hash = `#${conversation}`
      for (const listener of moved) listener()
    },
    unanswered: () =>
      (JSON.parse(kept.get('daybook-unanswered') ?? '[]') as { text: string }[]).map(({ text }) => text), // the page has written it
    streams: () => [...sources].filter(({ readyState }) => readyState !== Source.CLOSED).length,
  }
}

export const connected = (page: Page): Promise<void> =>
  until(() => page.status() === 'connected', 'the page is connected')
