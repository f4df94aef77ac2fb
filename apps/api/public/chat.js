// Talks to the API of this server, and shows what it stores. Text goes in as text, never as HTML.
const byId = (id) => document.getElementById(id)
const conversation = byId('conversation')
const form = byId('form')
const input = byId('text')
const stored = (name, make) =>
  localStorage.getItem(name) ?? (localStorage.setItem(name, make()), localStorage.getItem(name))

const user = stored('daybook-user', () => crypto.randomUUID())
let base = ''
let source
let answering // the entry that fills word by word

async function open(sessionId) {
  localStorage.setItem('daybook-session', sessionId)
  base = `/apps/chat/users/${user}/sessions/${sessionId}`
  conversation.replaceChildren()
  answering = undefined
  source?.close()
  const reply = await fetch(base, { method: 'PUT' })
  if (!reply.ok) throw new Error(await problemIn(reply))
  // What is stored, and then whatever comes: from here, from another tab, from another process.
  source = new EventSource(`${base}/events/stream`)
  source.addEventListener('open', () => status('connected'))
  source.addEventListener('error', () => status('reconnecting'))
  source.addEventListener('event', ({ data }) => show(JSON.parse(data).event))
  source.addEventListener('end', () => {
    source.close()
    status('this conversation was deleted')
  })
}

const status = (text) => {
  byId('status').textContent = text
}

function show({ id, author, content }) {
  for (const [i, part] of (content?.parts ?? []).entries()) {
    const partId = i === 0 ? id : `${id}/${i}`
    if (part.functionCall !== undefined)
      entry(partId, 'tool', `${part.functionCall.name} ${JSON.stringify(part.functionCall.args)}`)
    else if (part.functionResponse !== undefined) showResult(partId, part.functionResponse)
    // What a model thinks before it speaks is stored, and not part of what it says.
    else if (typeof part.text === 'string' && part.thought !== true) {
      if (author !== 'user') {
        answering?.remove()
        answering = undefined
      }
      entry(partId, author === 'user' ? 'user' : 'assistant', part.text)
    }
  }
}

/** What a tool answered; a file that it saved can be downloaded. */
function showResult(id, { name: tool, response }) {
  const element = entry(id, 'tool', `→ ${JSON.stringify(response)}`)
  if (tool !== 'save_file' || response?.version === undefined) return
  const link = document.createElement('a')
  link.href = `${base}/artifacts/${encodeURIComponent(response.name)}?version=${response.version}`
  link.textContent = `Download ${response.name}`
  element.append(' ', link)
}

/** One entry for each event, however it came here. */
function entry(id, kind, text) {
  const known = [...conversation.children].find((element) => element.dataset.id === id)
  const element = known ?? document.createElement('div')
  element.className = `entry ${kind}`
  element.dataset.id = id
  element.textContent = text
  if (known === undefined) conversation.append(element)
  element.scrollIntoView({ block: 'end' })
  return element
}

async function say(text, eventId) {
  entry(eventId, 'user', text)
  const reply = await fetch(`${base}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ text, eventId }),
  })
  if (!reply.ok) throw new Error(await problemIn(reply))
  let isDone = false
  for await (const { event, data } of messagesIn(reply.body)) {
    if (event === 'word') {
      answering ??= entry(`${eventId}…`, 'assistant', '')
      answering.textContent += data.text
      answering.scrollIntoView({ block: 'end' })
    } else if (event === 'event') show(data.event)
    else if (event === 'error') throw new Error(data.detail)
    isDone ||= event === 'done'
  }
  if (!isDone) throw new Error('The answer was cut')
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

const problemIn = (reply) =>
  reply.json().then(
    ({ detail }) => detail,
    () => reply.statusText,
  )

form.addEventListener('submit', async (submitted) => {
  submitted.preventDefault()
  const text = input.value.trim()
  if (text === '') return
  input.value = ''
  const eventId = crypto.randomUUID()
  try {
    await say(text, eventId)
  } catch (error) {
    answering?.remove()
    answering = undefined
    entry(eventId, 'user failed', `${text}\n(${error.message}. Click to send it again.)`)
      // The same id: what the server has of this turn is not done twice.
      .addEventListener('click', () => say(text, eventId).catch((again) => status(again.message)), { once: true })
  }
})

fetch('/health')
  .then((reply) => reply.json())
  .then(({ assistant }) => (byId('assistant').textContent = assistant))
  .catch((error) => status(error.message))
byId('fresh').addEventListener('click', () => open(crypto.randomUUID()).catch((error) => status(error.message)))
open(stored('daybook-session', () => crypto.randomUUID())).catch((error) => status(error.message))
