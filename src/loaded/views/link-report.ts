import type { LinkReport, LinkTarget } from "../model/objects.js";
import { ITERATORS, LINK_TYPES, type LinkType, PERF_EVENTS, readFields } from "./link-fields.js";
import { idAt, textOf } from "./report-fields.js";

/** sizeof(struct bpf_link_info) of Linux 6.12. */
export const LINK_SIZE = 72;

/** The number of LINK_TYPES for a link whose member depends on a further type. */
const PERF_EVENT = 7;

/** The type of a report, or the type of its event if it is a perf_event; null for one that is newer. */
function typeOf(info: DataView): LinkType | null {
  const number = info.getUint32(0, true);
  if (number !== PERF_EVENT) return LINK_TYPES[number] ?? null;
  return PERF_EVENTS[info.getUint32(16, true)] ?? null;
}

/** Where the kernel takes the buffer for the text of a link of this type; null if it has none. */
export function textPlace(info: DataView): LinkType["text"] {
  return typeOf(info)?.text ?? null;
}

/** Reads a report of {@link LINK_SIZE} bytes. `text` are the bytes of its text; null if it has none or is unknown. */
export function linkReport(info: DataView, text: Uint8Array | null): LinkReport {
  const number = info.getUint32(0, true);
  return {
    id: info.getUint32(4, true),
    type: LINK_TYPES[number]?.type ?? "unknown",
    program: idAt(info, 8),
    target: targetOf(info, text),
  };
}

function targetOf(info: DataView, text: Uint8Array | null): LinkTarget {
  const found = typeOf(info);
  if (found === null) return {};
  const event = info.getUint32(0, true) === PERF_EVENT ? { event: found.type } : {};
  const said = text === null ? null : textOf(text);
  const named = found.text === null ? {} : { [found.text.name]: said };
  const iterated = found.type === "iter" && said !== null ? (ITERATORS[said] ?? []) : [];
  return { ...event, ...named, ...readFields(info, found.fields), ...readFields(info, iterated) };
}
