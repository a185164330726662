// Any blob must be signed by a key of the keyring `network`, unless the map `container_policy` excuses the tier of
// whoever asks: { "dev": { "require_signature": false } }. Nobody is excused whose labels cannot be read.
import { map_lookup, PKCS7, verify_signature } from "countersign";

export function blob_verify(blob, current) {
  const reject = verify_signature(blob.data, blob.signature, "network", PKCS7);
  const labels = current.container === null ? {} : current.container.labels;
  if (labels === null) return reject;
  const rule = map_lookup("container_policy", labels.tier ?? "");
  return rule?.require_signature === false ? 0 : reject;
}
