import type { Removals } from "../../loaded/detach.js";
import type { Place } from "../../loaded/model/places.js";
import type { ObjectName } from "../../loaded/model/references.js";
import type { Scan } from "../../loaded/model/scan.js";
import { visibleText } from "../../visible-text.js";
import { placeWords } from "./attached-places.js";
import { holders } from "./holders.js";
import { linkPlace } from "./link-place.js";

type Removal = Removals["removals"][number];

/** What removing one attachment would be, with the names that it has. */
export interface NamedRemoval {
  readonly removal: Removal;
  /** The first one is the name that is printed, and names no other attachment of the object. */
  readonly names: readonly [string, ...string[]];
  /** Who keeps it there, in words. */
  readonly heldBy: string;
}

export function namedRemovals({ scan, removals }: Removals, object: ObjectName): readonly NamedRemoval[] {
  const all = removals.map((removal): NamedRemoval => {
    const { attachment } = removal;
    const names = namesOf(scan, removal);
    const held: ObjectName = attachment.by === "link" ? { kind: "link", id: attachment.link.id } : object;
    return { removal, names, heldBy: holders(scan, held) };
  });
  // a name that two attachments have names neither, unless each has another one
  const short = (one: NamedRemoval) => one.names[1];
  return all.map((one) => {
    const name = short(one);
    const isShared = name !== undefined && all.some((other) => other !== one && short(other) === name);
    return name === undefined || isShared ? one : { ...one, names: [name, one.names[0]] };
  });
}

/** The whole name, then a shorter one if there is one. */
function namesOf(scan: Scan, { attachment }: Removal): readonly [string, ...string[]] {
  switch (attachment.by) {
    case "pin": {
      const { path, mountNamespace } = attachment.pin;
      const elsewhere = mountNamespace === null ? "" : ` of mount namespace ${mountNamespace}`;
      return [visibleText(`${path}${elsewhere}`)];
    }
    case "structure":
      return [`struct_ops of map ${attachment.map}`];
    case "link": {
      const { link, places } = attachment;
      const ofTarget = link.type === "struct_ops" || places.length === 0;
      const at = ofTarget ? linkPlace(link) : places.map((place) => placeWords(place, scan.netns)).join(" or ");
      return [`${at} by link ${link.id}`, at];
    }
    case "target":
      return namesOfPlace(attachment.place, scan.netns);
  }
}

function namesOfPlace(place: Place, own: number): readonly [string, ...string[]] {
  const at = placeWords(place, own);
  if (place.at !== "interface" || place.filter === undefined) return [at];
  const { info, handle, chain } = place.filter;
  return [`${at}, filter ${info >>> 16} handle 0x${handle.toString(16)}${chain === 0 ? "" : ` chain ${chain}`}`, at];
}

/** `program 72 scan_tcx (sched_cls, tag 40aea5b4a1b12f91)`. */
export function objectWords({ programs, maps, links }: Scan, { kind, id }: ObjectName): string {
  const program = programs.find((one) => kind === "program" && one.id === id);
  if (program !== undefined) return visibleText(`program ${id} ${program.name} (${program.type}, tag ${program.tag})`);
  const map = maps.find((one) => kind === "map" && one.id === id);
  if (map !== undefined) return visibleText(`map ${id} ${map.name} (${map.type})`);
  const link = links.find((one) => kind === "link" && one.id === id);
  return link === undefined ? `${kind} ${id}` : `link ${id} (${link.type}, program ${link.program ?? "none"})`;
}

/** What could be removed, for a person. */
export function removalText(scan: Scan, object: ObjectName, removals: readonly NamedRemoval[]): string {
  const tag = scan.programs.find(({ id }) => object.kind === "program" && id === object.id)?.tag;
  const command = `countersign scan detach ${object.kind}:${object.id}`;
  const rows = removals.flatMap(({ removal, names, heldBy }) => {
    const { way, obstacle, consequences } = removal;
    if (way === null) return ["", `cannot be removed: ${names[0]}`, `  ${obstacle}`, `  held by: ${heldBy}`];
    const quoted = `'${names[0].replaceAll("'", "'\\''")}'`;
    return [
      ...["", `would be removed: ${names[0]}`, `  by ${way}`],
      ...consequences.map((each) => `  ${each}`),
      `  ${command} --at ${quoted}${tag === undefined ? "" : ` --tag ${tag}`} --yes`,
    ];
  });
  return [objectWords(scan, object), ...rows].join("\n");
}

/** A line of `scan detach --json`, in the form of schema/scan.schema.json. */
export function removalLine(object: ObjectName, { removal, names, heldBy }: NamedRemoval, isRemoved: boolean): object {
  const { way, obstacle, consequences } = removal;
  return {
    ...{ kind: "removal", object: object.kind, id: object.id, at: names[0], by: way, obstacle, consequences },
    ...{ held_by: heldBy, removed: isRemoved },
  };
}
