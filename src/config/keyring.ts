import * as z from "zod";
import type { Origin } from "../hooks/decision.js";
import { path, paths } from "./values.js";

const USAGE = "is empty; name an extended key usage such as `codeSigning`, or `any`";

/** The schema of a keyring in the configuration. keyring-files.ts reads the files that it names. */
export const KEYRING = z
  .strictObject({
    trust: paths
      .default([])
      .describe(
        "Certificates, PEM or DER; public keys, also as ssh-keygen and minisign write them, for their signatures",
      ),
    revoked: z
      .strictObject({
        crls: paths.default([]),
        certificates: paths.default([]),
        digests: z
          .array(
            z.string().regex(/^(?:(?:bin|cert|tbs|key):)?(?:[0-9a-fA-F]{64}|(?:[0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2})$/, {
              error: "is not a SHA-256 digest; write 64 hexadecimal digits, as `sha256sum` prints them",
            }),
          )
          .default([])
          .describe(
            "SHA-256 of contents (`bin:`) or certificates (`cert:`), or of either; `tbs:` before that of a " +
              "certificate's signed part, `key:` of a public key",
          ),
        serials: z
          .array(
            z.strictObject({
              issuer: path.describe("The certificate of who issued them"),
              serials: z
                .array(
                  z.string().regex(/^(?:0x)?(?:[0-9a-fA-F]{2}:)*[0-9a-fA-F]{1,40}$/, {
                    error: "is not a serial number; write it in hex, as `openssl x509 -noout -serial` prints it",
                  }),
                )
                .min(1, { error: "is empty; list a serial number, or remove the entry" }),
            }),
          )
          .default([])
          .describe("Serial numbers of certificates that count no more, by their issuer"),
        freshness: z
          .enum(["require", "if-present"])
          .default("if-present")
          .describe("`require`: each certificate needs a revocation list that is in its time"),
      })
      .optional(),
    usage: z
      .array(z.string().min(1, { error: USAGE }))
      .min(1, { error: USAGE })
      .default(["codeSigning"])
      .describe("Extended key usages asked for"),
    policies: z
      .array(z.string())
      .default([])
      .describe("Certificate policies, of which one must hold for the whole path"),
    validity: z
      .enum(["now", "ignore"])
      .default("now")
      .describe("`now`: certificates are judged at the decision's time; `ignore`: as the kernel does"),
    profile: z
      .enum(["strict", "compatible"])
      .default("strict")
      .describe("`compatible`: what RFC 5280 asks of authorities alone is not asked of certificates and CRLs"),
    signers: z.int().min(1).max(16).default(1).describe("How many different keys must have signed"),
    timestamps: z
      .strictObject({
        trust: paths.min(1, {
          error: "is empty; name the certificate of a time-stamping authority, or leave `timestamps` out",
        }),
        revoked: z
          .enum(["denied", "good-before"])
          .default("denied")
          .describe("`good-before`: what was stamped before its signer was revoked stays good"),
      })
      .optional()
      .describe("Whose time stamps (RFC 3161) count: certificates are then judged at the stamp's time"),
    ssh: z
      .strictObject({ namespaces: z.array(z.string().min(1)).min(1).default(["file"]) })
      .prefault({})
      .describe("Namespaces of SSH signatures that are taken"),
    sigstore: z
      .strictObject({
        root: path.describe("A trusted root in Sigstore's own JSON: authorities and logs, with their times"),
        identities: z
          .array(z.strictObject({ subject: z.string().min(1), issuer: z.string().min(1) }))
          .default([])
          .describe("Who may sign with a certificate of that root: exactly this subject, vouched for by this issuer"),
      })
      .optional()
      .describe("Bundles of Sigstore, verified offline"),
    sealed: z
      .boolean()
      .optional()
      .describe(
        "Whether the keyring stays as it was read until the process ends, newer CRLs aside; if absent: true for " +
          "`run` without `--follow-files`, else false",
      ),
  })
  .refine(({ trust, sigstore }) => trust.length > 0 || sigstore !== undefined, {
    path: ["trust"],
    error: "is missing or empty; name a file with a certificate or a public key, or add `sigstore`",
  });

export interface KeyringConfig {
  readonly name: string;
  readonly place: string;
  readonly trust: readonly string[];
  readonly revoked: {
    readonly crls: readonly string[];
    readonly certificates: readonly string[];
    readonly digests: readonly string[];
    readonly serials: readonly { readonly issuer: string; readonly serials: readonly string[] }[];
    readonly freshness: "require" | "if-present";
  };
  readonly usage: readonly string[];
  readonly policies: readonly string[];
  readonly validity: "now" | "ignore";
  readonly profile: "strict" | "compatible";
  readonly signers: number;
  readonly timestamps: { readonly trust: readonly string[]; readonly revoked: "denied" | "good-before" } | null;
  readonly ssh: { readonly namespaces: readonly string[] };
  readonly sigstore: {
    readonly root: string;
    readonly identities: readonly { readonly subject: string; readonly issuer: string }[];
  } | null;
  /** Null if the configuration does not say; see {@link SEALED_IF_UNSET}. */
  readonly sealed: boolean | null;
}

/**
 * The default of `sealed`, by the part of Countersign that reads the configuration. Under `run` keyrings are sealed by
 * default, since the command can have the right to replace a keyring's files and must not change what judges it.
 */
export const SEALED_IF_UNSET: Readonly<Record<Origin, boolean>> = {
  run: true,
  agent: false,
  check: false,
  library: false,
  guard: false,
};

/** `path` resolves a path relative to the configuration file. */
export function keyringConfig(
  name: string,
  place: string,
  { trust, revoked, timestamps, sigstore, sealed, ...rules }: z.output<typeof KEYRING>,
  path: (path: string) => string,
): KeyringConfig {
  const { crls = [], certificates = [], digests = [], serials = [], freshness = "if-present" } = revoked ?? {};
  return {
    name,
    place,
    ...rules,
    trust: trust.map(path),
    revoked: {
      crls: crls.map(path),
      certificates: certificates.map(path),
      digests: digests.map((digest) => digest.toLowerCase()),
      serials: serials.map(({ issuer, ...rest }) => ({ issuer: path(issuer), ...rest })),
      freshness,
    },
    timestamps: timestamps === undefined ? null : { ...timestamps, trust: timestamps.trust.map(path) },
    sigstore: sigstore === undefined ? null : { ...sigstore, root: path(sigstore.root) },
    sealed: sealed ?? null,
  };
}
