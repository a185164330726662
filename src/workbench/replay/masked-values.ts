import type { Current } from "../../policy/model/current.js";
import type { ScopeRules } from "../../policy/scope/scope.js";

/** A pointer of a record's `masked` and its path, as the sandbox names facts that a policy reads. */
interface Pointer {
  readonly text: string;
  readonly part: string;
  readonly path: readonly string[];
}

/** Which fields of the caller a rule of a scope depends on, as paths within `current`. */
const SCOPE_FIELDS: Readonly<Record<keyof ScopeRules, readonly string[]>> = {
  labels: ["container.labels"],
  uid: ["uid"],
  exe: ["exe"],
  comm: ["comm"],
  container: ["container.id", "container.name"],
};

/** The values that a record has not because `log.mask` left them out, and whether a decision needs one of them. */
export class MaskedValues {
  static readonly #NONE = new MaskedValues([]);
  readonly #pointers: readonly Pointer[];

  private constructor(pointers: readonly string[]) {
    this.#pointers = pointers.map((text) => {
      const [part = "", ...path] = text.slice(1).split("/").map(unescaped);
      return { text, part, path };
    });
  }

  /** The values of several records together. Most records have no `masked`. */
  static of(...pointers: readonly (readonly string[] | undefined)[]): MaskedValues {
    for (const some of pointers)
      if (some !== undefined && some.length > 0) return new MaskedValues(pointers.flatMap((one) => one ?? []));
    return MaskedValues.#NONE;
  }

  /** All pointers, for people. */
  get all(): string {
    return this.#pointers.map(({ text }) => text).join(", ");
  }

  get isEmpty(): boolean {
    return this.#pointers.length === 0;
  }

  /**
   * The pointer of a value that a read of `path`, such as `current.container.labels.tier`, gives; null if none is. A
   * path that ends with a dot stands for everything below.
   */
  readBy(path: string): string | null {
    return this.#find(
      (masked) => path === masked || path.startsWith(`${masked}.`) || (path.endsWith(".") && masked.startsWith(path)),
    );
  }

  /** The pointer of a value that decides who is in a scope; null if none does. */
  usedByScope(rules: ScopeRules): string | null {
    const given = (Object.keys(rules) as (keyof ScopeRules)[]).filter((rule) => rules[rule] !== undefined);
    const fields = given.flatMap((rule) => SCOPE_FIELDS[rule] ?? []);
    return this.#find((masked) =>
      fields.some((field) => {
        const path = `current.${field}`;
        return masked === path || masked.startsWith(`${path}.`) || path.startsWith(`${masked}.`);
      }),
    );
  }

  /** The same value with null in the place of each masked one: that there was a value is known. */
  restored<Value extends object>(part: "subject" | "current", value: Value): Value {
    const its = this.#pointers.filter((pointer) => pointer.part === part);
    if (its.length === 0) return value;
    const copy = structuredClone(value);
    for (const { path } of its) putNull(copy, path);
    return copy;
  }

  #find(isNeeded: (path: string) => boolean): string | null {
    return this.#pointers.find(({ part, path }) => isNeeded([part, ...path].join(".")))?.text ?? null;
  }
}

/** Objects on the way to a value are there: the log leaves out the last one alone. */
function putNull(value: object, path: readonly string[]): void {
  let at: unknown = value;
  for (const key of path.slice(0, -1)) at = isOwn(at, key) ? at[key] : null;
  const last = path.at(-1);
  if (typeof at !== "object" || at === null || last === undefined || Object.hasOwn(at, last)) return;
  Object.defineProperty(at, last, { value: null, enumerable: true, writable: true, configurable: true });
}

function isOwn(value: unknown, key: string): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}

function unescaped(token: string): string {
  return token.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** The fields of a caller that each record has, where the log left them out. */
export const UNKNOWN_THREAD: Pick<Current, "pid" | "tid" | "comm"> = { pid: 0, tid: 0, comm: "" };
