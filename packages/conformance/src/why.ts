import type { RuleGroup } from './check.ts'

/** What goes wrong in agents where the rules of a group are not kept. */
export const why: Readonly<Record<RuleGroup, string>> = {
  LIFE: 'a store is opened, migrated and closed by many processes at once, on databases that are not empty',
  SES: 'a conversation that is mixed up with another, or comes back after its deletion, is a leak',
  EVT: 'an event is what an agent has said or done: lost, doubled or altered, the agent goes on from what never was',
  STA: 'state is what an agent knows; a key in the wrong scope is another user’s, and a lost one is forgotten',
  ORD: 'whoever walks a list believes that it was all there is, and every row once',
  CON: 'agents run in many workers, and a store with one writer in its tests loses what two of them write',
  TXN: 'an answer that is stored without the state that it changed, or beside a row that was rolled back, is a lie',
  FLT: 'connections die and processes are killed; what was acknowledged has to be there, and once',
  LIM: 'what is cut, rounded or refused late is found months later, by a user',
  UNI: 'databases fold, trim and normalise text unless they are told not to; names and emoji are then the same or gone',
  TIM: 'clocks run back, zones change, and a database cuts fractions; times must survive all that',
  JSP: 'a filter that means something else on another database answers wrongly and says nothing',
  MET: 'money is counted here: a lost or doubled row is a wrong bill',
  MEM: 'a memory of another user that is found is a leak, and one that is not found is forgotten',
  ART: 'files are bytes: through a text column they come back as something else',
  MIG: 'a deployment starts many processes over an old schema, and may be interrupted',
  ERR: 'programs act on the code of an error: a wrong one repeats what must not be, or gives up what could be',
  SEC: 'ids and texts come from users; one that reaches the SQL or another tenant is a breach',
  RES: 'a connection, a timer or an object that is kept is an outage in a week',
  PRF: 'what is quick with ten rows and reads the whole table with a million is found in production',
  ERA: 'a user who asks to be forgotten is forgotten, and nobody else is',
  LEA: 'two workers on one session both believe to be the only one unless the store says who is',
  RWD: 'promises that are kept one by one have to hold together, in what agents really do',
  META: 'a suite that cannot fail proves nothing, so it is tried on stores that are broken on purpose',
}
