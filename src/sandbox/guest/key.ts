/** The property key for a name in PERMITS: `@@iterator` is Symbol.iterator. */
export function keyOf(name: string): PropertyKey {
  return name.startsWith("@@") ? (Symbol as unknown as Record<string, symbol>)[name.slice(2)]! : name;
}
