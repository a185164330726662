import type { Config } from "../../config/config.js";
import { runtimeMemory } from "../../policy/domain.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import type { Warning } from "../../warning.js";

/** An attachment of the configuration with its policy and its hooks. */
export interface Placed {
  readonly domain: string;
  readonly limits: { readonly memory: number; readonly stack: number };
  readonly policy: LinkedPolicy;
  readonly hooks: ReadonlySet<string>;
}

/**
 * Divides `sandbox.memory` among the domains in proportion to the memory that their runtimes need. Shares are fixed, so
 * that no domain evicts the runtimes of another.
 */
export class SandboxMemory {
  private readonly domains = new Map<string, Need>();
  private readonly all: number;

  constructor(
    private readonly config: Pick<Config, "file" | "sandbox">,
    attachments: readonly Placed[],
  ) {
    for (const { domain, ...attachment } of attachments) {
      const need = this.domains.get(domain) ?? new Need();
      this.domains.set(domain, need);
      need.add(attachment);
    }
    this.all = [...this.domains.values()].reduce((sum, { all }) => sum + all, 0);
  }

  /** The most bytes for a domain's runtimes. */
  share(domain: string): number {
    return Math.floor((this.config.sandbox.memory * (this.domains.get(domain)?.all ?? 0)) / this.all);
  }

  /** Warns if the runtimes of one hook may not fit. Names only the hook and domain that need the most memory. */
  warnings(): Warning[] {
    let worst = { domain: "", hook: "", bytes: 0, memory: this.config.sandbox.memory };
    for (const [domain, { all, byHook }] of this.domains)
      for (const [hook, bytes] of byHook) {
        const memory = (bytes * this.all) / all;
        if (memory > worst.memory) worst = { domain, hook, bytes, memory };
      }
    const { domain, hook, bytes, memory } = worst;
    if (bytes === 0) return [];
    return [
      {
        code: "SANDBOX_MEMORY_SHORT",
        message:
          `the policies of ${hook} in the domain \`${domain}\` may need ${mebibytes(bytes)} of memory, and the ` +
          "domain has " +
          `${mebibytes(this.share(domain))}: a decision that asks all of them has to compile some of them again`,
        place: this.config.file,
        remedy: `set \`sandbox.memory\` to ${mebibytes(memory)}, or attach fewer policies to ${hook}`,
      },
    ];
  }
}

/** Bytes that the runtimes of a domain need. Each distinct policy counts once in `all`, and once for each hook. */
class Need {
  all = 0;
  readonly byHook = new Map<string, number>();
  readonly #seen = new Map<LinkedPolicy, Map<string, Set<string>>>();

  add({ policy, limits, hooks }: Omit<Placed, "domain">): void {
    const bytes = runtimeMemory(policy);
    const kinds = this.#seen.get(policy) ?? new Map<string, Set<string>>();
    this.#seen.set(policy, kinds);
    const kind = `${limits.memory}/${limits.stack}`;
    const known = kinds.get(kind);
    if (known === undefined) this.all += bytes;
    const counted = known ?? new Set();
    kinds.set(kind, counted);
    for (const hook of hooks) {
      if (counted.has(hook)) continue;
      counted.add(hook);
      this.byHook.set(hook, (this.byHook.get(hook) ?? 0) + bytes);
    }
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)}MiB`;
}
