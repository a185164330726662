import { keyOf, type ObjectName, type Reference, type References } from "../model/references.js";

/**
 * Whether a map is used by others than a program and the processes that hold it: pinned, held by another process, or
 * used by a program that none of these processes holds.
 */
export class SharedMaps {
  readonly #holders = new Map<string, ReadonlySet<number>>();

  constructor(private readonly references: References) {}

  isShared(program: number, map: number): boolean {
    const group = this.#holdersOf(program);
    return this.#of({ kind: "map", id: map }).some((reference) => {
      if (reference.by === "pin") return true;
      if (reference.by === "process") return !group.has(reference.pid);
      if (reference.by !== "program" || reference.id === program) return false;
      return [...this.#holdersOf(reference.id)].every((pid) => !group.has(pid));
    });
  }

  /** The processes with descriptors of a program, or of one of its links. */
  #holdersOf(program: number): ReadonlySet<number> {
    const object = { kind: "program", id: program } as const;
    const key = keyOf(object);
    let found = this.#holders.get(key);
    if (found === undefined) {
      const own = this.#of(object);
      const ofLinks = own.flatMap(({ by, ...other }) =>
        by === "link" && "id" in other ? this.#of({ kind: "link", id: other.id }) : [],
      );
      found = new Set([...own, ...ofLinks].flatMap((each) => (each.by === "process" ? [each.pid] : [])));
      this.#holders.set(key, found);
    }
    return found;
  }

  #of(object: ObjectName): readonly Reference[] {
    return this.references.get(keyOf(object)) ?? [];
  }
}
