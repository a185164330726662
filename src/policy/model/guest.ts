import { ERRNO } from "../../errno.js";
import { SIGNATURE_TYPES } from "./signature-types.gen.js";

/**
 * The name of the virtual module. This file describes it to the linker and the sandbox, types/countersign.d.ts to an
 * editor. Its names are the kernel's.
 */
export const GUEST_MODULE = "countersign";

/** An argument that names a configured object. */
interface ConfiguredArgument {
  readonly kind: "keyring" | "map";
  /** Its index. */
  readonly argument: number;
  /** Its index in a call with two arguments, if the function has such a form. */
  readonly ofTwo?: number;
}

/** Functions of the module, with the argument that names a configured object. */
export const GUEST_FUNCTIONS = {
  verify_signature: { kind: "keyring", argument: 2 },
  verify_program: { kind: "keyring", argument: 1 },
  statement_of: { kind: "keyring", argument: 1 },
  signer_of: { kind: "keyring", argument: 2, ofTwo: 1 },
  hash: null,
  map_lookup: { kind: "map", argument: 0 },
  map_update: { kind: "map", argument: 0 },
  map_delete: { kind: "map", argument: 0 },
  deny: null,
  note: null,
  read: null,
} as const satisfies Record<string, ConfiguredArgument | null>;

/** The argument of a function that names a configured object; null if it has none, or if there is no such function. */
export function configuredArgument(name: string): ConfiguredArgument | null {
  return Object.hasOwn(GUEST_FUNCTIONS, name) ? GUEST_FUNCTIONS[name as keyof typeof GUEST_FUNCTIONS] : null;
}

/** Constants: signature types and every errno by name. */
export const GUEST_CONSTANTS: Readonly<Record<string, string | number>> = {
  ...Object.fromEntries(SIGNATURE_TYPES.map((type) => [type, type])),
  ...ERRNO,
};

export const GUEST_NAMES: readonly string[] = [...Object.keys(GUEST_FUNCTIONS), ...Object.keys(GUEST_CONSTANTS)];
