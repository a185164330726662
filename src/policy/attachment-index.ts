import type { Attachment } from "./attachment.js";
import type { Container, Current } from "./model/current.js";
import type { ScopeField } from "./scope/scope.js";

/**
 * The attachments of each hook, and which of them are in scope for a task. Results are cached by the parts of a task
 * that any scope tests, so that a thousand attachments out of scope cost nothing at the next decision about a similar
 * task.
 */
export class AttachmentIndex {
  private readonly groups = new Map<string, Group>();

  constructor(readonly attachments: readonly Attachment[]) {
    const hooks = new Set(attachments.flatMap((attachment) => [...attachment.hooks]));
    for (const hook of hooks)
      this.groups.set(hook, new Group(attachments.filter((attachment) => attachment.hooks.has(hook))));
  }

  /** The attachments in scope, in the order of the configuration. */
  inScope(hook: string, current: Current): readonly Attachment[] {
    return this.groups.get(hook)?.inScope(current) ?? NOBODY;
  }
}

const NOBODY: readonly Attachment[] = [];

/** Maximum number of cached results for a hook. When it is reached, the cache is cleared. */
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
   * The cache key of a task: equal for tasks that no scope distinguishes. Strings are preceded by their lengths, so
   * that two different tasks cannot have the same key.
   */
  private kindOf({ uid, comm, exe, container }: Current): string {
    const { looksAt } = this;
    let kind = looksAt.has("labels") || looksAt.has("container") ? this.containerOf(container) : "";
    if (looksAt.has("uid")) kind += ` ${uid}`;
    if (looksAt.has("comm")) kind += ` ${comm.length}:${comm}`;
    if (looksAt.has("exe")) kind += exe === null ? " ?" : ` ${exe.length}:${exe}`;
    return kind;
  }

  /** A frozen container gets a number; for any other one the key has all of its fields, since they can change. */
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
