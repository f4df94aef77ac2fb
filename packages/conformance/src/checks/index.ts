import type { Checks, Group } from '../check.ts'
import { LIFE } from './life.ts'
import { SES } from './ses.ts'
import { EVT } from './evt.ts'
import { STA } from './sta.ts'
import { ORD } from './ord.ts'
import { LIM } from './lim.ts'
import { UNI } from './uni.ts'
import { TIM } from './tim.ts'
import { JSP } from './jsp.ts'
import { ERR } from './err.ts'
import { SEC } from './sec.ts'
import { ERA } from './era.ts'
import { LEA } from './lea.ts'
import { MEM } from './mem.ts'
import { ART } from './art.ts'
import { TXN } from './txn.ts'
import { CON } from './con.ts'
import { FLT } from './flt.ts'
import { RES } from './res.ts'
import { MIG } from './mig.ts'
import { PRF } from './prf.ts'
import { RWD } from './rwd.ts'
import { MET } from './met.ts'
import { META } from './meta.ts'

/** A group without checks does not compile. */
export const checks: Readonly<Record<Group, Checks>> = {
  LIFE,
  SES,
  EVT,
  STA,
  ORD,
  LIM,
  UNI,
  TIM,
  JSP,
  ERR,
  SEC,
  ERA,
  LEA,
  MEM,
  ART,
  MET,
  TXN,
  CON,
  FLT,
  RES,
  RWD,
  MIG,
  PRF,
  META,
}
