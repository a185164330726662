// team A: at most three blobs for each container
import { deny, map_lookup, map_update } from "countersign";
export function blob_verify(_blob, current) {
  const key = current.container?.id ?? "host";
  const n = map_lookup("counts", key) ?? 0;
  if (n >= 3) return deny("three are enough");
  return map_update("counts", key, n + 1) === 0 ? 0 : deny("cannot count");
}
