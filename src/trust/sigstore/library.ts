/**
 * The libraries of Sigstore, as far as they are used: a bundle of its own, which is loaded at the first keyring that
 * needs it.
 */
export { bundleFromJSON } from "@sigstore/bundle";
export { RFC3161Timestamp } from "@sigstore/core";
export { TrustedRoot } from "@sigstore/protobuf-specs";
export { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
