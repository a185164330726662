import { sha256 } from "../../bpf/insn/digest.js";
import type { MapDefinition } from "../../bpf/model/facts.js";
import { factsOfMap } from "../../bpf/model/map-memory.js";
import type { MapAccess } from "../../hooks/catalogue.js";
import type { MapSubject } from "../../hooks/subject.js";

/** A map as a subject. The digest covers its definition only, so that it is the same offline and in a gate. */
export function mapSubject(map: MapDefinition, access: MapAccess | null): MapSubject {
  const { name, type, key_size, value_size, max_entries, flags, contents } = map;
  const definition = { name, type, key_size, value_size, max_entries, flags, contents };
  return { ...factsOfMap(definition), digest: sha256(Buffer.from(JSON.stringify(definition))), access };
}
