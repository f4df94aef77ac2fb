/** Importing this lets Node import TypeScript. */
// oxlint-disable-next-line unicorn/require-module-specifiers -- it is a module, and exports nothing
export {}
