import { ERRNO } from "../errno.js";

/**
 * The name of the virtual module. This file describes it to the linker and the sandbox, types/countersign.d.ts to an
 * editor. Its names are the kernel's.
 */
export const GUEST_MODULE = "countersign";

/**
 * Functions of the module. For a function that takes the name of a configured object: the kind of object, and the index
 * of that argument.
 */
export const GUEST_FUNCTIONS = {
  verify_signature: { kind: "keyring", argument: 2 },
  hash: null,
  map_lookup: { kind: "map", argument: 0 },
  map_update: { kind: "map", argument: 0 },
  map_delete: { kind: "map", argument: 0 },
  deny: null,
  note: null,
  read: null,
} as const satisfies Record<string, { kind: "keyring" | "map"; argument: number } | null>;

/** Types of signatures. With MODSIG, the signature is part of the data. */
export const GUEST_SIGNATURE_TYPES = ["PKCS7", "MODSIG", "RAW", "SSHSIG", "MINISIGN", "SIGSTORE"] as const;

/** Constants: signature types and every errno by name. */
export const GUEST_CONSTANTS: Readonly<Record<string, string | number>> = {
  ...Object.fromEntries(GUEST_SIGNATURE_TYPES.map((type) => [type, type])),
  ...ERRNO,
};

export const GUEST_NAMES: readonly string[] = [...Object.keys(GUEST_FUNCTIONS), ...Object.keys(GUEST_CONSTANTS)];
