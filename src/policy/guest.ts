import { ERRNO } from "../errno.js";

/**
 * The virtual module `countersign`, as the linker and the sandbox know it; types/countersign.d.ts describes it to an
 * editor. Names are the kernel's.
 */
export const GUEST_MODULE = "countersign";

/** Functions, and which argument of each is the literal name of something that the configuration must have. */
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

/** Types of signatures. With MODSIG, the data carries its own signature. */
export const GUEST_SIGNATURE_TYPES = ["PKCS7", "MODSIG", "RAW", "SSHSIG", "MINISIGN", "SIGSTORE"] as const;

/** Constants: signature types and every errno by name. */
export const GUEST_CONSTANTS: Readonly<Record<string, string | number>> = {
  ...Object.fromEntries(GUEST_SIGNATURE_TYPES.map((type) => [type, type])),
  ...ERRNO,
};

export const GUEST_NAMES: readonly string[] = [...Object.keys(GUEST_FUNCTIONS), ...Object.keys(GUEST_CONSTANTS)];
