/**
 * Policies in a domain of their own, asked without an engine: the helpers answer what a test tells them to.
 */
import type { CountersignError } from "../../src/error.js";
import { HOOK_NAMES } from "../../src/hooks/catalogue.js";
import type { Limits } from "../../src/policy/attachment.js";
import { Domain } from "../../src/policy/domain.js";
import { type LinkedPolicy, linkPolicy } from "../../src/policy/linker/linker.js";
import type { Current } from "../../src/policy/model/current.js";
import type { Outcome } from "../../src/policy/model/outcome.js";
import type { HostFunctions } from "../../src/sandbox/host.js";
import { DEFAULT_LIMITS } from "../../src/sandbox/shared/limits.js";
import { task } from "../task.js";

/** Helpers that know nothing: no signature verifies, no map has a key. */
export const FUNCTIONS: HostFunctions = {
  verify_signature: () => -126,
  signer_of: () => null,
  verify_program: () => -126,
  statement_of: () => -1,
  signer_of_program: () => null,
  hash: () => "00",
  map_lookup: () => undefined,
  map_update: () => 0,
  map_delete: () => 0,
};

/** A blob, which has bytes and no signature. */
export const SUBJECT = Object.freeze({
  name: "blob",
  digest: "d1",
  data: Uint8Array.of(1, 2, 3, 4),
  signature: null,
  nested: { list: ["a", "b"], deep: { flag: true } },
});

export interface Question {
  readonly hook?: string;
  readonly subject?: object;
  readonly current?: Partial<Current>;
  readonly limits?: Partial<Limits>;
  readonly functions?: Partial<HostFunctions>;
}

/**
 * Links one file, or several by their names, of which the first is the policy. Tests make up their subjects: any fact
 * goes.
 */
export function link(source: string | Readonly<Record<string, string>>): LinkedPolicy {
  const files: Readonly<Record<string, string>> = typeof source === "string" ? { "policy.js": source } : source;
  const read = (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`no file ${path}`);
    return text;
  };
  return linkPolicy(Object.keys(files)[0]!, { read, hookNames: HOOK_NAMES, root: "", subjects: {} });
}

/** The body of a policy for `blob_verify`. */
export function blob(body: string, head = ""): string {
  return `${head}export function blob_verify(blob, current) {\n${body}\n}`;
}

/**
 * Milliseconds. Steps end a policy in tests; time ends it only where a test sets a limit, since machines may be busy.
 */
const PATIENCE = 10_000;

export class Guest {
  readonly domain: Domain;
  readonly #linked = new Map<string, LinkedPolicy>();

  constructor(options: ConstructorParameters<typeof Domain>[0] = {}) {
    this.domain = new Domain(options);
  }

  ask(source: string | LinkedPolicy, question: Question = {}): Outcome {
    const { hook = "blob_verify", subject = SUBJECT, current, limits, functions } = question;
    return this.domain.ask(
      typeof source === "string" ? this.#link(source) : source,
      { ...DEFAULT_LIMITS, timeout: PATIENCE, ...limits },
      hook,
      subject,
      task(current),
      { ...FUNCTIONS, ...functions },
    );
  }

  #link(source: string): LinkedPolicy {
    let linked = this.#linked.get(source);
    if (linked === undefined) {
      linked = link(source);
      this.#linked.set(source, linked);
    }
    return linked;
  }
}

/** The error for which files are not linked, or null if they are. */
export function rejection(files: Parameters<typeof link>[0]) {
  try {
    link(files);
  } catch (error) {
    const { code, place, message, remedy } = error as CountersignError;
    return { code, place, message, remedy };
  }
  return null;
}
