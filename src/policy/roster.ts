import type { Attachment } from "./attachment.js";
import type { Container, Current } from "./current.js";
import type { ScopeField } from "./scope.js";

/**
 * The attachments by hook, and which of them are in scope for a task. What was found for one task is remembered by the
 * parts of it that any scope looks at, so that a thousand attachments that are not in scope cost nothing at the second
 * decision about the same kind of task.
 */
export class Roster {
  private readonly groups = new Map<string, Group>();

  constructor(readonly attachments: readonly Attachment[]) {
    const hooks = new Set(attachments.flatMap((attachment) => [...attachment.hooks]));
    for (const hook of hooks)
      this.groups.set(hook, new Group(attachments.filter((attachment) => attachment.hooks.has(hook))));
  }

  /** In the order of the configuration. */
  inScope(hook: string, current: Current): readonly Attachment[] {
    return this.groups.get(hook)?.inScope(current) ?? NOBODY;
  }
}

const NOBODY: readonly Attachment[] = [];

/** Kinds of tasks that are remembered for a hook; when there are more, it begins anew. */
const MAX_KINDS = 4096;

class Group {
  private readonly looksAt: ReadonlySet<ScopeField>;
  private readonly known = new Map<string, readonly Attachment[]>();
  private readonly containers = new WeakMap<Container, string>();
  private numbered = 0;

  constructor(private readonly attachments: readonly Attachment[]) {
    this.looksAt = new Set(attachments.flatMap(({ scope }) => [...scope.looksAt]));
  }

  inScope(current: Current): readonly Attachment[] {
    if (this.looksAt.size === 0) return this.attachments;
    const kind = this.kindOf(current);
    let found = this.known.get(kind);
    if (found === undefined) {
      found = this.attachments.filter(({ scope }) => scope.includes(current));
      if (this.known.size >= MAX_KINDS) this.known.clear();
      this.known.set(kind, found);
    }
    return found;
  }

  /**
   * Equal for tasks that no scope here can tell apart. Lengths stand before strings, so that no two can run together.
   */
  private kindOf({ uid, comm, exe, container }: Current): string {
    const { looksAt } = this;
    let kind = looksAt.has("labels") || looksAt.has("container") ? this.containerOf(container) : "";
    if (looksAt.has("uid")) kind += ` ${uid}`;
    if (looksAt.has("comm")) kind += ` ${comm.length}:${comm}`;
    if (looksAt.has("exe")) kind += exe === null ? " ?" : ` ${exe.length}:${exe}`;
    return kind;
  }

  /** A container that cannot change is known by itself; any other one by all that it says. */
  private containerOf(container: Container | null): string {
    if (container === null) return "host";
    const known = this.containers.get(container);
    if (known !== undefined) return known;
    const { id, name, labels } = container;
    const fixed = Object.isFrozen(container) && (labels === null || Object.isFrozen(labels));
    if (!fixed) return JSON.stringify([id, name, labels]);
    this.numbered += 1;
    const kind = `container ${this.numbered}`;
    this.containers.set(container, kind);
    return kind;
  }
}
