/** Loads what is not a dependency of this app, or says what to install. */
export async function installed<Module>(
  why: string,
  packages: readonly string[],
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause
    throw new Error(`${why}, and its packages are not installed. Run: npm install ${packages.join(' ')}`, { cause })
  }
}
