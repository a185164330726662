import { ERRNO } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { type HookName, hookRow, SUBJECT_KINDS } from "../../hooks/catalogue.js";
import type { Limits } from "../../policy/attachment.js";
import type { Domain } from "../../policy/domain.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import type { Outcome } from "../../policy/model/outcome.js";
import { DETACHED_SIGNATURE_TYPES, SIGNATURE_TYPES } from "../../policy/model/signature-types.gen.js";
import type { Origin } from "../shared/atom.js";
import { type KnownMaps, knownMap } from "../shared/known-maps.js";
import type { Input } from "./input.js";

/** The names of a configuration that policies can give to helpers, and what is known of its maps. */
export interface AskedNames {
  readonly keyrings: readonly string[];
  readonly maps: readonly string[];
  readonly known?: KnownMaps;
}

type HostFunctions = Parameters<Domain["ask"]>[5];

/**
 * What the policy itself answers for an input, in the sandbox of the engine. The helpers answer as the input says.
 * `reach` gets the points that the policy reaches, if it was linked with points.
 */
export function engineAnswer(
  domain: Domain,
  policy: LinkedPolicy,
  limits: Limits,
  hook: HookName,
  input: Input,
  names: AskedNames,
  reach: (point: number) => void = () => {},
): Outcome {
  const functions = new InputFunctions(input, SUBJECT_KINDS[hookRow(hook).subject].argument, names, reach);
  return domain.ask(policy, limits, hook, input.subject, input.current, functions);
}

class InputFunctions implements HostFunctions {
  readonly #paths = new Map<Uint8Array, string>();
  #writes = 0;

  constructor(
    private readonly input: Input,
    private readonly argument: string,
    private readonly names: AskedNames,
    readonly pointReached: (point: number) => void,
  ) {
    this.#addBytes(input.subject, argument);
  }

  verify_signature(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): number {
    this.#known(this.names.keyrings, keyring);
    this.#known(SIGNATURE_TYPES, type);
    if (signature === null && (DETACHED_SIGNATURE_TYPES as readonly string[]).includes(type)) return -ERRNO.ENODATA;
    return this.#answer(this.#signature("verify_signature", data, signature, keyring, type)) as number;
  }

  signer_of(data: Uint8Array, signature: Uint8Array | null, keyring: string, type: string): unknown {
    if (this.verify_signature(data, signature, keyring, type) !== 0) return null;
    return this.#answer(this.#signature("signer_of", data, signature, keyring, type));
  }

  verify_program(_: object, keyring: string): number {
    this.#known(this.names.keyrings, keyring);
    return this.#answer({ kind: "verify_program", keyring }) as number;
  }

  statement_of(subject: object, keyring: string): number {
    if (this.verify_program(subject, keyring) !== 0) return -1;
    const { statements } = subject as { readonly statements: readonly unknown[] };
    return statements.indexOf(this.#answer({ kind: "statement_of", keyring }));
  }

  signer_of_program(subject: object, keyring: string): unknown {
    return this.verify_program(subject, keyring) === 0 ? this.#answer({ kind: "signer_of_program", keyring }) : null;
  }

  hash(algorithm: string, data: Uint8Array): string {
    const path = this.#pathOf(data);
    // The digest of a program is a fact
    if (algorithm === "sha256" && path === `${this.argument}.insns`)
      return (this.input.subject as { readonly digest: string }).digest;
    return this.#answer({ kind: "hash", algorithm, data: path }) as string;
  }

  map_lookup(map: string, key: string): unknown {
    this.#known(this.names.maps, map);
    const { contents } = knownMap(this.names.known ?? {}, map);
    if (contents !== undefined) return Object.hasOwn(contents.entries, key) ? contents.entries[key] : undefined;
    return this.input.answer({ kind: "lookup", map, key: [] }, key);
  }

  map_update(map: string): number {
    return this.#write(map);
  }

  map_delete(map: string): number {
    return this.#write(map);
  }

  #write(map: string): number {
    this.#known(this.names.maps, map);
    this.#writes += 1;
    return this.#answer({ kind: "write", number: this.#writes }) as number;
  }

  #answer(origin: Origin): unknown {
    return this.input.answer(origin, null);
  }

  #signature(
    kind: "verify_signature" | "signer_of",
    data: Uint8Array,
    signature: Uint8Array | null,
    keyring: string,
    type: string,
  ): Origin {
    return { kind, keyring, type, data: this.#pathOf(data), signature: signature && this.#pathOf(signature) };
  }

  #pathOf(bytes: Uint8Array): string {
    return this.#paths.get(bytes) ?? "";
  }

  #known(names: readonly string[], name: string): void {
    if (names.includes(name)) return;
    // The error with which the engine's own helpers reject a name
    throw new CountersignError("POLICY_UNKNOWN_NAME", `no \`${name}\``, { remedy: "use a name of the configuration" });
  }

  #addBytes(value: unknown, path: string): void {
    if (value instanceof Uint8Array) this.#paths.set(value, path);
    else if (typeof value === "object" && value !== null)
      for (const [key, one] of Object.entries(value)) this.#addBytes(one, `${path}.${key}`);
  }
}
