import type { Container, Current } from "../policy/model/current.js";
import { type Defined, digestOfContent } from "./definition.js";
import type { CallerContent } from "./input-records.js";
import type { Mask } from "./mask.js";

/** Number of callers whose definitions are kept. When it is reached, all are dropped. */
const MAX_CALLERS = 1024;

interface Known {
  readonly annotated: boolean;
  readonly content: CallerContent;
  readonly definition: Defined;
}

/**
 * Makes the definitions of callers. Each decision has another object for its caller, so a caller is known by its
 * fields, which are compared one by one: that takes a tenth of writing them as JSON.
 */
export class CallerDefinitions {
  #known = new Map<string, Known[]>();
  #count = 0;
  /** The last one, which is often also the next one. */
  #last: Known | null = null;

  constructor(private readonly mask: Mask) {}

  /** `annotated`: whether a policy has read the annotations of the container; otherwise they are left out. */
  of(current: Current, annotated: boolean): Defined {
    const { exe, container, uid } = current;
    const last = this.#last;
    if (last !== null && last.annotated === annotated && isSame(last.content, current, annotated))
      return last.definition;
    this.#last = this.#find(`${uid} ${annotated} ${container === null ? "" : container.id} ${exe}`, current, annotated);
    return this.#last.definition;
  }

  #find(key: string, current: Current, annotated: boolean): Known {
    const candidates = this.#known.get(key);
    const known = candidates?.find(({ content }) => isSame(content, current, annotated));
    if (known !== undefined) return known;
    if (this.#count >= MAX_CALLERS) {
      this.#known = new Map();
      this.#count = 0;
    }
    const made = this.#define(current, annotated);
    this.#count += 1;
    const others = this.#known.get(key);
    if (others === undefined) this.#known.set(key, [made]);
    else others.push(made);
    return made;
  }

  #define(current: Current, annotated: boolean): Known {
    const content = contentOf(current, annotated);
    const shown = structuredClone(content);
    const masked = this.mask.apply("current", shown);
    const text = JSON.stringify(shown);
    return {
      annotated,
      content,
      definition: { type: "caller", digest: digestOfContent(text), content: () => text, masked },
    };
  }
}

function contentOf(current: Current, annotated: boolean): CallerContent {
  const { uid, euid, gid, exe, cgroup, container } = current;
  const [capabilities, namespaces] = [unchanging(current.capabilities), unchanging(current.namespaces)];
  if (container === null) return { uid, euid, gid, exe, cgroup, capabilities, namespaces, container };
  const { id, name, labels, annotations } = container;
  const its = {
    id,
    name,
    labels: labels === null ? null : unchanging(labels),
    annotations: annotated ? { ...annotations } : null,
  };
  return { uid, euid, gid, exe, cgroup, capabilities, namespaces, container: its };
}

/** The object itself if it cannot change, so that the next comparison with it reads no fields; else a copy. */
function unchanging<T extends object>(object: T): T {
  return Object.isFrozen(object) ? object : structuredClone(object);
}

function isSame(content: CallerContent, current: Current, annotated: boolean): boolean {
  const { capabilities, namespaces, cgroup } = current;
  return (
    content.uid === current.uid &&
    content.euid === current.euid &&
    content.gid === current.gid &&
    content.exe === current.exe &&
    content.cgroup === cgroup &&
    isSameList(content.capabilities, capabilities) &&
    isSameRecord(content.namespaces, namespaces) &&
    isSameContainer(content.container, current.container, annotated)
  );
}

function isSameContainer(
  content: CallerContent["container"],
  container: Container | null,
  annotated: boolean,
): boolean {
  if (content === null || container === null) return content === container;
  const { id, name, labels, annotations } = container;
  if (content.id !== id || content.name !== name) return false;
  if (annotated && !isSameRecord(content.annotations!, annotations)) return false;
  if (content.labels === null || labels === null) return content.labels === labels;
  return isSameRecord(content.labels, labels);
}

function isSameList(some: readonly string[], others: readonly string[]): boolean {
  if (some === others) return true;
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false;
  return true;
}

/** Whether both have the same values by the same keys, in the same order: the order is part of the content. */
function isSameRecord<T>(some: Readonly<Record<string, T>>, others: Readonly<Record<string, T>>): boolean {
  if (some === others) return true;
  const [keys, otherKeys] = [Object.keys(some), Object.keys(others)];
  if (!isSameList(keys, otherKeys)) return false;
  for (const key of keys) if (some[key] !== others[key]) return false;
  return true;
}
