/** Keys of state under which an assistant keeps what it was told. */
export const nameKey = 'user:name'
export const homeKey = 'user:home'
/** One key for each fact, so that facts told at the same time in two sessions all stay. */
export const factPrefix = 'user:fact:'
export const topicKey = 'topic'

export const factKey = (subject: string): string => factPrefix + subject.toLowerCase()
