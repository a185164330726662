/** The key that a name of the table of permits stands for: `@@iterator` is Symbol.iterator. */
export function keyOf(name: string): PropertyKey {
  return name.startsWith("@@") ? (Symbol as unknown as Record<string, symbol>)[name.slice(2)]! : name;
}
