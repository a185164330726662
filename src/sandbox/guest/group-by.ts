type GroupBy = (items: unknown, callback: (value: unknown, index: number) => unknown) => unknown;

/**
 * QuickJS calls the callbacks of Object.groupBy and Map.groupBy with the global object as `this`; ECMA-262 (GroupBy,
 * step 6.e) requires undefined. A policy must never get the global object.
 */
export function correctGroupBy(): void {
  for (const holder of [Object, Map] as unknown as readonly { groupBy: GroupBy }[]) {
    const original: GroupBy | undefined = holder.groupBy;
    if (original === undefined) continue;
    // A method is not a constructor, and has the name and the length of the original
    const { groupBy } = {
      groupBy(items: unknown, callback: (value: unknown, index: number) => unknown): unknown {
        if (typeof callback !== "function") throw new TypeError("not a function");
        return original(items, (value, index) => callback(value, index));
      },
    };
    Object.defineProperty(holder, "groupBy", { value: groupBy });
  }
}
