import { map_lookup, PKCS7, verify_signature } from "countersign";

const isSigned = (blob) => verify_signature(blob.data, blob.signature, "network", PKCS7) === 0;

export const signed_blobs_pass = (blob, _current, decision) => !isSigned(blob) || decision.verdict === 0;

export const nobody_is_excused_whose_labels_are_unknown = (blob, { container }, decision) =>
  container === null || container.labels !== null || isSigned(blob) || decision.verdict !== 0;

// The host has no tier: what the map has for the empty one decides.
export const the_host_signs_unless_it_is_excused = (blob, { container }, decision) =>
  container !== null ||
  isSigned(blob) ||
  map_lookup("container_policy", "")?.require_signature === false ||
  decision.verdict !== 0;
