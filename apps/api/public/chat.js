// Talks to the API of this server, and shows what it stores. Text goes in as text, never as HTML.
const byId = (id) => document.getElementById(id)
const conversation = byId('conversation')
const form = byId('form')
const input = byId('text')
const longest = 8000

/** `crypto.randomUUID` is there only where a page is safe from others on the way. */
const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, '0')).join('')
const stored = (name) => localStorage.getItem(name) ?? (localStorage.setItem(name, newId()), localStorage.getItem(name))

const user = stored('daybook-user')
let base = ''
let source // of the events that are shown
let opening = 0 // counts, so that a reply for an earlier opening, also of the same conversation, is known
let again // the timer of another try to reach the server
let answering // the entry that fills word by word

// Each conversation has an address, so that Back leads to the one before.
const addressed = () => location.hash.slice(1)

async function open(sessionId) {
  const here = `/apps/chat/users/${user}/sessions/${encodeURIComponent(sessionId)}`
  const mine = ++opening
  clearTimeout(again)
  source?.close()
  source = undefined
  if (base !== here) begin(sessionId, here)
  const reply = await fetch(here, { method: 'PUT' }).catch(() => undefined)
  if (mine !== opening) return
  if (reply === undefined) reopen(sessionId)
  else if (!reply.ok) {
    const { detail, retryable } = await problemIn(reply)
    if (mine !== opening) return
    if (retryable) reopen(sessionId)
    else status(detail)
  } else {
    const { lastSeq } = await reply.json()
    if (mine !== opening) return
    byId('hints').hidden = lastSeq > 0
    follow(sessionId, lastSeq)
  }
}

function begin(sessionId, here) {
  base = here
  localStorage.setItem('daybook-session', sessionId)
  conversation.replaceChildren()
  conversation.removeAttribute('aria-busy')
  answering = undefined
  follows = true
  status('connecting')
}

/** What is stored, and then whatever comes: from here, from another tab, from another process. */
function follow(sessionId, lastSeq) {
  let isBehind = lastSeq > 0
  const resume = () => {
    if (!isBehind) for (const { eventId, text } of unanswered.here()) void say(text, eventId)
  }
  const stream = new EventSource(`${base}/events/stream`)
  source = stream
  const on = (type, listener) => stream.addEventListener(type, (event) => stream === source && listener(event))
  on('open', () => {
    status('connected')
    resume()
  })
  on('error', () => {
    if (stream.readyState === EventSource.CLOSED) reopen(sessionId)
    else status(away)
  })
  on('event', ({ data }) => {
    const { seq, event } = JSON.parse(data)
    show(event)
    if (!isBehind || seq < lastSeq) return
    isBehind = false
    resume()
  })
  on('end', () => {
    stream.close()
    status('this conversation was deleted')
  })
}

const away = 'The server does not answer. Trying again …'

function reopen(sessionId) {
  status(away)
  again = setTimeout(() => open(sessionId), 2000)
}

function status(text) {
  byId('status').textContent = text
}

/** What was said and not answered, kept so that neither a reload nor a server that is away loses it. */
const unanswered = {
  all: () => JSON.parse(localStorage.getItem('daybook-unanswered') ?? '[]'),
  here: () => unanswered.all().filter((one) => one.base === base),
  keep: (all) => localStorage.setItem('daybook-unanswered', JSON.stringify(all)),
  remove: (eventId) => unanswered.keep(unanswered.all().filter((one) => one.eventId !== eventId)),
  add(one) {
    unanswered.remove(one.eventId)
    unanswered.keep([...unanswered.all(), one])
  },
}

function show({ id, author, content }) {
  for (const [i, part] of (content?.parts ?? []).entries()) {
    const partId = i === 0 ? id : `${id}/${i}`
    if (part.functionCall !== undefined)
      entry(partId, 'tool', `${part.functionCall.name} ${JSON.stringify(part.functionCall.args)}`)
    else if (part.functionResponse !== undefined) showResult(partId, part.functionResponse)
    // What a model thinks before it speaks is stored, and not part of what it says.
    else if (typeof part.text === 'string' && part.thought !== true) {
      if (author !== 'user') answered()
      entry(partId, author === 'user' ? 'user' : 'assistant', part.text)
    }
  }
}

/** What a tool answered; a file that it saved can be downloaded. */
function showResult(id, { name: tool, response }) {
  const element = entry(id, 'tool', `→ ${JSON.stringify(response)}`)
  if (tool !== 'save_file' || response?.version === undefined || element.querySelector('a') !== null) return
  const link = document.createElement('a')
  link.href = `${base}/artifacts/${encodeURIComponent(response.name)}?version=${response.version}`
  link.textContent = `Download ${response.name}`
  element.append(' ', link)
}

const names = { user: 'You', assistant: 'Assistant', tool: 'Tool' }

/** One entry for each event, however it came here. */
function entry(id, kind, text) {
  const known = [...conversation.children].find((element) => element.dataset.id === id)
  const element = known ?? made('article', `entry ${kind}`)
  if (known === undefined) {
    element.dataset.id = id
    element.setAttribute('aria-label', names[kind])
    element.append(made('span', 'said'))
    conversation.append(element)
  }
  element.querySelector('.said').textContent = text
  toEnd()
  return element
}

function made(tag, className) {
  const element = document.createElement(tag)
  element.className = className
  return element
}

/** Takes away what has come word by word: the whole answer is there, or none will be. */
function answered() {
  answering?.remove()
  answering = undefined
}

// What is new is followed, unless somebody reads further up.
let follows = true
const toEnd = () => {
  if (follows) conversation.scrollTop = conversation.scrollHeight
}
conversation.addEventListener('scroll', () => {
  follows = conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight < 60
})
new ResizeObserver(toEnd).observe(conversation)

/** Asks for the turn of a message: for the first time, or again by the same id, by which nothing of it is done twice. */
async function say(text, eventId) {
  const asked = base
  if (asking.has(eventId)) return
  asking.add(eventId)
  conversation.setAttribute('aria-busy', 'true')
  unanswered.add({ base, eventId, text })
  conversation.querySelector(`[data-of="${eventId}"]`)?.remove()
  entry(eventId, 'user', text)
  try {
    await turn(text, eventId, asked)
    unanswered.remove(eventId)
  } catch (error) {
    if (error.isFinal) unanswered.remove(eventId)
    if (base === asked) {
      answered()
      problem(
        text,
        eventId,
        error.isFinal === undefined ? 'Not answered yet: the server does not answer.' : error.message,
      )
    }
  }
  asking.delete(eventId)
  if (asking.size === 0) conversation.removeAttribute('aria-busy')
}

const asking = new Set()

/** What the server has said is the end of it, unless it says otherwise; anything else is tried again when there is a server. */
const refusal = ({ detail, retryable }) =>
  Object.assign(new Error(retryable ? `Not answered yet. ${detail}` : detail), { isFinal: !retryable })

async function turn(text, eventId, asked) {
  const reply = await fetch(`${asked}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ text, eventId }),
  })
  if (!reply.ok) throw refusal(await problemIn(reply))
  let isDone = false
  for await (const { event, data } of messagesIn(reply.body)) {
    if (event === 'error') throw refusal(data)
    isDone ||= event === 'done'
    if (base !== asked) continue // another conversation was opened meanwhile
    if (event === 'word') {
      answering ??= entry(`${eventId}…`, 'assistant', '')
      answering.querySelector('.said').textContent += data.text
      toEnd()
    } else if (event === 'event') show(data.event)
  }
  if (!isDone) throw new Error('the answer was cut')
}

function problem(text, eventId, message) {
  const element = made('div', 'problem')
  element.dataset.of = eventId
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = 'Send again'
  button.addEventListener('click', () => {
    input.focus()
    void say(text, eventId)
  })
  element.append(message, ' ', button)
  conversation.querySelector(`[data-id="${eventId}"]`)?.after(element)
  toEnd()
}

/** The messages of a stream of server-sent events. */
async function* messagesIn(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop()
    for (const block of blocks) {
      const field = (name) =>
        block
          .split('\n')
          .filter((line) => line.startsWith(`${name}: `))
          .map((line) => line.slice(name.length + 2))
          .join('\n')
      if (field('data') !== '') yield { event: field('event'), data: JSON.parse(field('data')) }
    }
  }
}

/** The problem that a reply tells of, or what its status says where something before the server has answered. */
async function problemIn(reply) {
  const { detail = reply.statusText, retryable = reply.status >= 500 } = await reply.json().catch(() => ({}))
  return { detail, retryable }
}

function sayNew(text) {
  if (text === '') return
  follows = true
  void say(text, newId())
}

form.addEventListener('submit', (submitted) => {
  submitted.preventDefault()
  sayNew(input.value.trim())
  input.value = ''
})
input.addEventListener('input', () => {
  const { length } = input.value.trim()
  input.setCustomValidity(length > longest ? `These are ${length} characters, and ${longest} can be sent.` : '')
})
input.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  form.requestSubmit()
})
byId('hints').addEventListener('click', ({ target }) => {
  if (!(target instanceof HTMLButtonElement)) return
  input.focus()
  sayNew(target.textContent)
})
byId('fresh').addEventListener('click', () => {
  location.hash = newId()
  input.focus()
})
addEventListener('hashchange', () => open(addressed() || stored('daybook-session')))

fetch('/health')
  .then((reply) => reply.json())
  .then(({ assistant }) => (byId('assistant').textContent = assistant))
  .catch(() => {}) // the status says that there is no server
const first = addressed() || stored('daybook-session')
history.replaceState(undefined, '', `#${first}`)
void open(first)
