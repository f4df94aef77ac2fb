import type { MetricOperationType, NewMetric } from './metrics.ts'

/**
 * What a member of a metric is, which says how it is checked, kept and compared. Money is exact, durations are whole microseconds,
 * counts are whole numbers below 2^53 and sizes below 2^31.
 */
export type MetricKind =
  | 'id'
  | 'name'
  | 'tag'
  | 'text'
  | 'choice'
  | 'time'
  | 'duration'
  | 'count'
  | 'size'
  | 'level'
  | 'money'
  | 'object'
  | 'tags'
  | 'json'

/** The members of a metric, in the order of the table. */
export const metricKinds = {
  appName: 'id',
  traceId: 'id',
  spanId: 'id',
  parentSpanId: 'id',
  userId: 'id',
  sessionId: 'id',
  eventId: 'id',
  invocationId: 'text',
  agentName: 'name',
  operationName: 'name',
  operationType: 'choice',
  provider: 'name',
  requestModel: 'name',
  model: 'name',
  responseId: 'name',
  finishReason: 'name',
  status: 'choice',
  errorType: 'name',
  error: 'text',
  startedAt: 'time',
  endedAt: 'time',
  durationMs: 'duration',
  firstChunkMs: 'duration',
  textCharCount: 'count',
  textWordCount: 'count',
  textByteSize: 'count',
  textLineCount: 'count',
  textCustomMetrics: 'object',
  imageCount: 'count',
  imageTotalPixels: 'count',
  imageFileSizeBytes: 'count',
  imageWidth: 'size',
  imageHeight: 'size',
  imageFormat: 'tag',
  imageCustomMetrics: 'object',
  inputTokens: 'count',
  outputTokens: 'count',
  totalTokens: 'count',
  cacheReadTokens: 'count',
  cacheWriteTokens: 'count',
  reasoningTokens: 'count',
  usageSource: 'choice',
  usageLevel: 'level',
  providedCost: 'money',
  computedCost: 'money',
  currency: 'tag',
  priceId: 'name',
  costDetail: 'object',
  environment: 'name',
  release: 'name',
  tags: 'tags',
  customAttributes: 'object',
  content: 'json',
} as const

/** A member that has no kind does not compile. */
const kinds: Readonly<Record<keyof NewMetric, MetricKind>> = metricKinds

export type MetricMember = keyof typeof metricKinds

/** The members of some kinds. */
export type MembersOfKind<K extends MetricKind> = {
  [M in MetricMember]: (typeof metricKinds)[M] extends K ? M : never
}[MetricMember]

export const metricMembers: readonly MetricMember[] = Object.keys(kinds) as MetricMember[] // the keys of the literal above

/** Those members that `light` leaves out. */
export const heavyMembers: readonly MetricMember[] = metricMembers.filter(
  (member) => member === 'error' || ['object', 'tags', 'json'].includes(kinds[member]),
)

/** The values of those members that have a closed list of them. */
export const metricChoices: { readonly [M in MembersOfKind<'choice'>]: readonly NonNullable<NewMetric[M]>[] } = {
  operationType: [
    'chat',
    'generate_content',
    'text_completion',
    'embeddings',
    'retrieval',
    'execute_tool',
    'invoke_agent',
    'invoke_workflow',
    'agent_step',
    'task',
    'turn',
    'evaluation',
    'custom',
  ],
  status: ['running', 'ok', 'error', 'cancelled', 'abandoned'],
  usageSource: ['provider', 'tokenizer', 'estimate'],
}

/** The level of the usage of a row that does not say it. */
export const levelOfType: Readonly<Record<MetricOperationType, 0 | 1 | 2 | 3>> = {
  chat: 0,
  generate_content: 0,
  text_completion: 0,
  embeddings: 0,
  retrieval: 0,
  execute_tool: 0,
  evaluation: 0,
  custom: 0,
  agent_step: 1,
  turn: 1,
  invoke_agent: 2,
  invoke_workflow: 3,
  task: 3,
}

/** Rows that have one of these have usage. */
export const usageMembers: readonly MetricMember[] = [
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'providedCost',
  'computedCost',
]
