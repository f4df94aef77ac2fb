import type { Oracle } from '@daybook/conformance'

/** What the oracles of all dialects do by SQL that all databases understand. */
interface Beside {
  /** Runs one statement. */
  readonly run: (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>
  /** A name in the place, as SQL refers to it. */
  readonly named: (name: string) => string
  /** How an index of a table is dropped. */
  readonly dropIndex: (index: string, table: string) => string
}

/** The parts of an oracle that are about the schema: objects of others, damage, and a history of a newer version. */
export const schemaOracle = ({
  run,
  named,
  dropIndex,
}: Beside): Required<Pick<Oracle, 'foreign' | 'damage' | 'newerMigration'>> => ({
  async foreign() {
    const [notes, sessions, view] = [named('daybook_notes'), named('sessions'), named('daybook_notes_view')]
    await run(`create table ${notes} (id int primary key, note varchar(40))`)
    await run(`create index daybook_notes_note on ${notes} (note)`)
    await run(`create table ${sessions} (session_id varchar(40) primary key, app_name varchar(40))`)
    await run(`create view ${view} as select id, note from ${notes}`)
    await run(`insert into ${notes} values (1, 'kept')`)
    await run(`insert into ${sessions} values ('s1', 'kept')`)
    return { look: () => Promise.all([notes, sessions, view].map((name) => run(`select * from ${name}`))) }
  },
  async damage(what) {
    const [index, column] = ['daybook_sessions_recent', 'branch']
    if (what === 'index') await run(dropIndex(index, named('daybook_sessions')))
    else {
      // The view first: with it in the way not every database drops what it shows.
      await run(`drop view ${named('daybook_events_v1')}`)
      await run(`alter table ${named('daybook_events')} drop column ${column}`)
    }
    return what === 'index' ? index : column
  },
  async newerMigration() {
    const table = named('daybook_migrations')
    await run(
      `insert into ${table} (id, name, checksum, applied_at, version) select '9999', 'later', checksum, applied_at, version from ${table} where id = '0001'`,
    )
  },
})
