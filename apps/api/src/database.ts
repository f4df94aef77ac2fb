import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInMemoryStore, type Store, type StoreOptions } from '@daybook/core'
import { installed } from './installed.ts'

type Open = (url: string, options: StoreOptions) => Promise<Store>

/** Which database a DATABASE_URL means. The only file of this app that knows one; a driver loads when it is chosen. */
const databases: Record<string, Open> = {
  'file:': openFile,
  'libsql:': openSqlite,
  'http:': openSqlite,
  'https:': openSqlite,
  'ws:': openSqlite,
  'wss:': openSqlite,
  'postgres:': openPostgres,
  'postgresql:': openPostgres,
  'mysql:': openMysql,
  'mariadb:': openMysql,
  'memory:': async (_url, options) => createInMemoryStore(options),
}

/** Opens the database that the URL names; a URL without a scheme is the path of an SQLite file. */
export async function openDatabase(url: string, options: StoreOptions = {}): Promise<Store> {
  // One letter before the colon is a drive of Windows.
  const scheme = /^[a-z][a-z\d+.-]+:/i.exec(url)?.[0].toLowerCase() ?? 'file:'
  const open = Object.hasOwn(databases, scheme) ? databases[scheme] : undefined
  if (open !== undefined) return open(url, options)
  const known = Object.keys(databases).join(' ')
  throw new Error(
    `DATABASE_URL begins with ${scheme} which this server does not know; give the path of a file, or one of ${known}`,
  )
}

async function openFile(url: string, options: StoreOptions): Promise<Store> {
  const path = pathOf(url)
  await mkdir(dirname(path), { recursive: true })
  return openSqlite(`file:${path.replaceAll(/[%?#]/g, encodeURIComponent)}`, options)
}

function pathOf(url: string): string {
  if (!/^file:/i.test(url)) return url
  return decodeURIComponent(url.slice('file:'.length).replace(/^\/\/(?:localhost)?(?=\/)/i, ''))
}

async function openSqlite(url: string, options: StoreOptions): Promise<Store> {
  const { openSqliteStore } = await import('@daybook/drizzle-sqlite')
  return openSqliteStore({ ...options, url })
}

async function openPostgres(url: string, options: StoreOptions): Promise<Store> {
  const packages = ['@daybook/drizzle-pg', 'pg', 'drizzle-orm']
  const { openPgStore } = await installed('DATABASE_URL is a PostgreSQL one', packages, loadPostgres)
  return openPgStore({ ...options, url })
}

async function loadPostgres() {
  // The package loads its driver when it opens a URL; here it is looked for.
  const [dialect] = await Promise.all([import('@daybook/drizzle-pg'), import('pg')])
  return dialect
}

async function openMysql(url: string, options: StoreOptions): Promise<Store> {
  const packages = ['@daybook/drizzle-mysql', 'mysql2', 'drizzle-orm']
  const { openMysqlStore } = await installed('DATABASE_URL is a MySQL or MariaDB one', packages, loadMysql)
  return openMysqlStore({ ...options, url })
}

async function loadMysql() {
  const [dialect] = await Promise.all([import('@daybook/drizzle-mysql'), import('mysql2/promise')])
  return dialect
}
