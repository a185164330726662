import { FACT_READ } from "../shared/buffer-layout.js";
import { ARRAY_FACTS } from "./facts.js";
import { callHost } from "./host.js";
import { settings } from "./settings.js";

// Saved because the lockdown deletes these names
const { get, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { defineProperty, freeze, hasOwn, setPrototypeOf } = Object;
const RecordingProxy = Proxy;

/**
 * The same facts, whose reads the host is told of before the policy gets a value; only if the host wants to know, since
 * proxies are slow. `in` and the names of facts are no reads: which facts exist does not depend on their values. Reads
 * of an array's elements count as reads of the array, and those of bytes as reads of the fact that has them.
 */
export function recorded<T>(value: T, path: string): T {
  if (settings.recordsReads !== true || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const elements = value.map((element) => recorded(element, path));
    return freeze(setPrototypeOf(elements, ARRAY_FACTS)) as T;
  }
  if (isBytes(value)) return value;
  // A proxy must return a frozen property as it is, so that its target holds the recorded values
  const target = { __proto__: getPrototypeOf(value) };
  for (const key of ownKeys(value)) {
    const property = getOwnPropertyDescriptor(value, key)!;
    const held =
      "value" in property ? { ...property, value: recorded(property.value, `${path}.${String(key)}`) } : property;
    defineProperty(target, key, held);
  }
  const tell = (key: string | symbol) => {
    if (typeof key === "string" && hasOwn(value, key)) callHost(FACT_READ, "a fact", `${path}.${key}`);
  };
  // A getter gives the same value until the next decision
  const values = { __proto__: null } as unknown as Record<string, readonly [value: unknown, recorded: unknown]>;
  const handler = {
    __proto__: null,
    get(of: object, key: string | symbol): unknown {
      tell(key);
      const found = get(of, key);
      if (typeof key !== "string" || getOwnPropertyDescriptor(of, key)?.get === undefined) return found;
      if (values[key]?.[0] !== found) values[key] = [found, recorded(found, `${path}.${key}`)];
      return values[key]![1];
    },
    getOwnPropertyDescriptor(of: object, key: string | symbol): PropertyDescriptor | undefined {
      tell(key);
      const found = getOwnPropertyDescriptor(of, key);
      // The policy can call the getter itself, and nobody is told what it reads of the value
      if (found?.get !== undefined && typeof key === "string") callHost(FACT_READ, "a fact", `${path}.${key}.`);
      return found;
    },
  };
  return new RecordingProxy(freeze(target), freeze(handler) as unknown as ProxyHandler<object>) as T;
}

/** Bytes have one property, a getter; see bytes.ts. */
function isBytes(value: object): boolean {
  return getOwnPropertyDescriptor(value, "length")?.get !== undefined;
}
