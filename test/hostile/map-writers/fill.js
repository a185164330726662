import { map_update } from "countersign";
export function blob_verify() {
  for (let i = 0; map_update("counts", `x${i}`, 0) === 0; i++);
  return 0;
}
