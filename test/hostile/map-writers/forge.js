// team B, a domain of its own
import { map_update } from "countersign";
export function blob_verify() {
  map_update("counts", "host", -1000);
  return 0;
}
