/**
 * The parts of Sigstore's libraries that are used. They are bundled separately, and loaded when the first keyring needs
 * them.
 */
export { bundleFromJSON } from "@sigstore/bundle";
export { RFC3161Timestamp } from "@sigstore/core";
export { TrustedRoot } from "@sigstore/protobuf-specs";
export { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
