import type { LlmResponse } from '@google/adk'
import { describe, expect, test } from 'vitest'
import { OpenAiModel } from '../src/model/open-ai-model.ts'
import { startModel, type Step } from './model-server.ts'

type Request = Parameters<OpenAiModel['generateContentAsync']>[0]

const asking: Request = { contents: [], toolsDict: {}, liveConnectConfig: {} }

/** What the model answers to a server that says this. */
async function answersTo(step: Step, { stream = true, request = asking } = {}) {
  const server = await startModel('openai', step)
  const model = new OpenAiModel({ model: 'm', baseUrl: `${server.env['OPENAI_BASE_URL']}/` })
  const responses: LlmResponse[] = []
  for await (const response of model.generateContentAsync({ ...request }, stream)) responses.push(response)
  return { responses, last: responses.at(-1), sent: JSON.parse(server.asked[0]?.body ?? '') as Record<string, unknown> }
}

const stream = (...pieces: object[]): Step => ({
  raw: pieces.map((piece) => `data: ${JSON.stringify(piece)}\r\n\r\n`).join('') + ': ping\n\ndata: [DONE]\n\n',
})
const delta = (piece: object, finish: string | null = null) => ({ choices: [{ delta: piece, finish_reason: finish }] })

describe('a stream of chat completions', () => {
  test('gives partial text, and then the whole with its usage', async () => {
    const usage = {
      prompt_tokens: 10,
      completion_tokens: 7,
      total_tokens: 17,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 5 },
    }
    const { responses } = await answersTo(
      stream(delta({ content: 'Hé' }), delta({ content: 'llo 😀' }), delta({}, 'stop'), { choices: [], usage }),
    )
    expect(responses).toEqual([
      { content: { role: 'model', parts: [{ text: 'Hé' }] }, partial: true },
      { content: { role: 'model', parts: [{ text: 'llo 😀' }] }, partial: true },
      {
        content: { role: 'model', parts: [{ text: 'Héllo 😀' }] },
        partial: false,
        finishReason: 'STOP',
        usageMetadata: {
          promptTokenCount: 10,
          candidatesTokenCount: 2,
          thoughtsTokenCount: 5,
          cachedContentTokenCount: 4,
          totalTokenCount: 17,
        },
      },
    ])
  })

  test.each([
    ['with an index', [{ index: 0, id: 'a' }, { index: 0 }, { index: 1, id: 'b' }, { index: 1 }]],
    ['without one', [{ id: 'a' }, {}, { id: 'b' }, {}]],
    ['with an id on each', [{ id: 'a' }, { id: 'a' }, { id: 'b' }, { id: 'b' }]],
  ])('puts calls of tools together, %s', async (_how, heads) => {
    const pieces = [{ name: 'f', arguments: '{"x"' }, { arguments: ':1}' }, { name: 'g' }, {}]
    const { last } = await answersTo(
      stream(
        delta({ content: null }),
        ...pieces.map((piece, i) => delta({ tool_calls: [{ ...heads[i], function: piece }] })),
        delta({}, 'tool_calls'),
      ),
    )
    expect(last?.content?.parts).toEqual([
      { functionCall: { id: 'a', name: 'f', args: { x: 1 } } },
      { functionCall: { id: 'b', name: 'g', args: {} } },
    ])
  })

  test('takes thoughts for thoughts', async () => {
    const { responses } = await answersTo(
      stream(delta({ reasoning_content: 'hm' }), delta({ reasoning: 'so' }), delta({ content: 'Yes.' }, 'stop')),
    )
    expect(responses.map(({ content }) => content?.parts)).toEqual([
      [{ text: 'hm', thought: true }],
      [{ text: 'so', thought: true }],
      [{ text: 'Yes.' }],
      [{ text: 'Yes.' }],
    ])
  })

  test.each<[string, object[], object]>([
    ['cut short', [delta({ content: 'Once upon' }, 'length')], { finishReason: 'MAX_TOKENS' }],
    ['cut before it began', [delta({}, 'length')], { errorCode: 'MAX_TOKENS' }],
    ['filtered', [delta({}, 'content_filter')], { errorCode: 'SAFETY', finishReason: 'SAFETY' }],
    ['empty', [delta({}, 'stop')], { errorCode: 'NO_ANSWER' }],
    ['refused', [delta({ refusal: 'I will not.' }, 'stop')], { content: { parts: [{ text: 'I will not.' }] } }],
    [
      'a call that is not JSON',
      [delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x' } }] }, 'tool_calls')],
      { errorCode: 'MALFORMED_FUNCTION_CALL' },
    ],
  ])('that is %s says so', async (_what, pieces, expected) => {
    expect((await answersTo(stream(...pieces))).last).toMatchObject(expected)
  })

  test('fails when an error comes in it, or it ends too early', async () => {
    await expect(answersTo(stream({ error: { message: 'out of memory' } }))).rejects.toMatchObject({
      failure: 'unavailable',
      message: expect.stringContaining('out of memory'),
    })
    await expect(answersTo(stream(delta({ content: 'Hel' })))).rejects.toMatchObject({ failure: 'malformed' })
  })

  test('may be answered whole by a server that cannot stream', async () => {
    const whole = JSON.stringify({ choices: [{ message: { content: 'Hello.' }, finish_reason: 'stop' }] })
    const { responses } = await answersTo({ raw: whole }, { stream: false })
    expect(responses).toMatchObject([{ content: { parts: [{ text: 'Hello.' }] }, partial: false }])
  })
})

test('a server that is not there is unavailable', async () => {
  const model = new OpenAiModel({ model: 'm', baseUrl: 'http://127.0.0.1:1/v1' })
  await expect(model.generateContentAsync({ ...asking, contents: [] }).next()).rejects.toThrow(TypeError)
})

test('a request has instruction, history, tools and settings in the words of the protocol', async () => {
  const request = {
    ...asking,
    model: 'other',
    contents: [
      { role: 'user', parts: [{ text: 'hi' }] },
      {
        role: 'model',
        parts: [
          { text: 'thinking', thought: true },
          { functionCall: { name: 'f', args: { x: 1 } } },
          { functionCall: { id: 'b', name: 'f' } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'f', response: { y: 2 } } },
          { functionResponse: { id: 'b', name: 'f', response: { y: 3 } } },
          { functionResponse: { id: 'lost', name: 'f', response: {} } },
        ],
      },
      { role: 'model', parts: [{ text: 'There.' }] },
    ],
    config: {
      systemInstruction: 'Be brief.',
      temperature: 0,
      topP: 0.5,
      maxOutputTokens: 10,
      stopSequences: ['.'],
      tools: [
        {
          functionDeclarations: [
            {
              name: 'f',
              description: 'F.',
              parametersJsonSchema: { type: 'object', properties: { x: { type: 'number' } } },
            },
            { name: 'g', description: 'G.' },
          ],
        },
      ],
    },
  }
  const { sent } = await answersTo({ text: 'ok' }, { stream: false, request })
  expect(sent).toMatchObject({
    model: 'other',
    temperature: 0,
    top_p: 0.5,
    max_tokens: 10,
    stop: ['.'],
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_1_0', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
          { id: 'b', function: { name: 'f', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1_0', content: '{"y":2}' },
      { role: 'tool', tool_call_id: 'b', content: '{"y":3}' },
      { role: 'assistant', content: 'There.' },
      { role: 'user' },
    ],
    tools: [
      { type: 'function', function: { name: 'f', parameters: { properties: { x: { type: 'number' } } } } },
      { type: 'function', function: { name: 'g', parameters: { type: 'object', properties: {} } } },
    ],
  })
  expect(sent).not.toHaveProperty('stream')
})
