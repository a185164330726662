import { linkKey, placeKeys } from "../model/attachment-key.js";
import type { LinkReport } from "../model/objects.js";
import type { Place } from "../model/places.js";
import { keyOf, type ObjectName, type PinReference } from "../model/references.js";
import type { Scan } from "../model/scan.js";

/** One thing by which an object is attached or pinned. */
export type Attachment =
  /** A link, and what targets tell of it: several interfaces in different namespaces can have one number. */
  | { readonly by: "link"; readonly link: LinkReport; readonly places: readonly Place[] }
  /** What a target has without a link. */
  | { readonly by: "target"; readonly place: Place }
  /** A map of struct_ops that is registered without a link. */
  | { readonly by: "structure"; readonly map: number; readonly places: readonly Place[] }
  | { readonly by: "pin"; readonly pin: PinReference };

/** By what a program, map or link of a scan is attached and pinned; null if the scan has no such object. */
export function attachmentsOf(scan: Scan, object: ObjectName): readonly Attachment[] | null {
  const pins = (scan.references.get(keyOf(object)) ?? []).flatMap((one): readonly Attachment[] =>
    one.by === "pin" ? [{ by: "pin", pin: one }] : [],
  );
  const attached = attachedBy(scan, object);
  return attached === null ? null : unique([...attached, ...pins]);
}

function attachedBy(scan: Scan, { kind, id }: ObjectName): readonly Attachment[] | null {
  const { links, programs, maps, places } = scan;
  const has = (objects: readonly { readonly id: number }[]) => objects.some((one) => one.id === id);
  if (kind === "link") return has(links) ? links.filter((one) => one.id === id).map((one) => byLink(scan, one)) : null;
  if (kind === "map") return has(maps) ? structuresOf(scan, places.filter(isStructOps(id))) : null;
  if (!has(programs)) return null;
  const [own, ofProgram] = [places.filter(({ program }) => program === id), links.filter((one) => one.program === id)];
  return [
    ...ofProgram.map((one) => byLink(scan, one)),
    ...own.filter((place) => isDirect(place, own, ofProgram)).map((place): Attachment => ({ by: "target", place })),
    ...structuresOf(scan, own),
  ];
}

const isStructOps = (map: number) => (place: Place) => place.at === "struct_ops" && place.map === map;

function byLink({ places }: Scan, link: LinkReport): Attachment {
  const isOfMap = isStructOps(Number(link.target.map_id));
  const isOfLink = (place: Place) =>
    link.type === "struct_ops"
      ? isOfMap(place)
      : place.program === link.program && placeKeys(place).includes(linkKey(link));
  return { by: "link", link, places: places.filter(isOfLink) };
}

/** Whether a target has more of the program there than its links account for. */
function isDirect(place: Place, own: readonly Place[], links: readonly LinkReport[]): boolean {
  if (place.at === "struct_ops") return false;
  const keys = placeKeys(place);
  const key = keys.at(-1);
  if (key === undefined) return true;
  const told = own.filter((one) => placeKeys(one).includes(key)).length;
  return told > links.filter((link) => keys.includes(linkKey(link))).length;
}

/** The maps of these functions that no link has registered. A link of any other program of the map would be the one. */
function structuresOf(scan: Scan, places: readonly Place[]): readonly Attachment[] {
  const maps = new Set(places.flatMap((place) => (place.at === "struct_ops" ? [place.map] : [])));
  return [...maps].flatMap((map): readonly Attachment[] => {
    const link = scan.links.find(({ type, target }) => type === "struct_ops" && target.map_id === map);
    if (link !== undefined) return [byLink(scan, link)];
    return [{ by: "structure", map, places: scan.places.filter(isStructOps(map)) }];
  });
}

/** A text that names the same attachment in two scans, as long as it is where it was. */
export function attachmentKey(attachment: Attachment): string {
  if (attachment.by === "link") {
    const { id, type, program, target } = attachment.link;
    const fields = Object.entries(target).filter(([name]) => name !== "missed");
    return text("link", id, type, program, fields.sort());
  }
  if (attachment.by === "pin") return text("pin", attachment.pin.path, attachment.pin.mountNamespace);
  if (attachment.by === "structure") return text("structure", attachment.map);
  return text("target", attachment.place);
}

function text(...parts: readonly unknown[]): string {
  return JSON.stringify(parts, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
}

function unique(attachments: readonly Attachment[]): readonly Attachment[] {
  return [...new Map(attachments.map((one) => [attachmentKey(one), one])).values()];
}
