import { ERRNO } from "../../errno.js";
import type { Mode } from "../model/mode.js";
import type { MapWrite, PolicyMap } from "./map.js";
import { Size } from "./map-size.js";

/**
 * The maps as one attachment sees them during its answer: its own pending writes on top of the committed entries.
 * Pending writes wait for `commit` or `drop`. Other attachments of the same decision do not see them, so an answer does
 * not depend on the order or mode of other attachments. An attachment in audit commits to its own overlay, which only
 * it sees, also in later decisions.
 */
export class MapView {
  private readonly pending = new Map<string, Layer>();
  private readonly overlays = new Map<string, Layer>();

  constructor(
    private readonly maps: ReadonlyMap<string, PolicyMap>,
    readonly mode: Mode,
    /** The name of the attachment that this view belongs to. */
    private readonly attachment: string,
  ) {}

  has(map: string): boolean {
    return this.maps.has(map);
  }

  /** The writer that this view's writes to a map count for; null if the attachment may not write to the map. */
  writerOf(map: string): string | null {
    return this.maps.get(map)?.writerOf(this.attachment) ?? null;
  }

  names(): Iterable<string> {
    return this.maps.keys();
  }

  /** Returns the JSON text of a key, or null if the map has no such key. */
  lookup(map: string, key: string): string | null {
    const written = this.pending.get(map)?.writes.get(key);
    return written === undefined ? this.committed(map, key) : written;
  }

  /**
   * Sets a key to JSON text. Returns 0; -ENOENT if there is no such map; as the kernel's BPF_MAP_UPDATE_ELEM, -EPERM if
   * this attachment may not write to the map, and -E2BIG if the map or the writer's share of it is full; -EINVAL if the
   * text is not JSON, or if the entry breaks the map's schema.
   */
  update(map: string, key: string, value: string): number {
    const its = this.maps.get(map);
    if (its === undefined) return -ERRNO.ENOENT;
    const writer = its.writerOf(this.attachment);
    if (its.limits === null || writer === null) return -ERRNO.EPERM;
    if (!isEntry(its, key, value)) return -ERRNO.EINVAL;
    const before = this.lookup(map, key);
    const own = this.pending.get(map);
    const written = new Size().add(own?.held).change(key, own?.writes.get(key) ?? null, value);
    const held = this.overlays.get(map)?.held;
    const sizes = [this.room(its).change(key, before, value), written, held];
    if (sizes.some((size) => size?.exceeds(its.limits!))) return -ERRNO.E2BIG;
    const { share } = its;
    if (share !== null) {
      const mine = this.holding(its, writer).change(key, this.owns(its, key, writer) ? before : null, value);
      if ([mine, written, held].some((size) => size?.exceeds(share))) return -ERRNO.E2BIG;
    }
    return this.write(its, key, before, value, writer);
  }

  /**
   * Deletes a key. Returns 0; -EPERM if this attachment may not write to the map; -ENOENT if there is no such map or
   * key.
   */
  delete(map: string, key: string): number {
    const its = this.maps.get(map);
    if (its === undefined) return -ERRNO.ENOENT;
    const writer = its.writerOf(this.attachment);
    if (writer === null) return -ERRNO.EPERM;
    const before = this.lookup(map, key);
    return before === null ? -ERRNO.ENOENT : this.write(its, key, before, null, writer);
  }

  /** Commits the pending writes, and returns them. */
  commit(): readonly MapWrite[] {
    if (this.pending.size === 0) return NO_WRITES;
    const writes: MapWrite[] = [];
    for (const [map, layer] of this.pending) for (const [key, value] of layer.writes) writes.push({ map, key, value });
    this.drop();
    this.apply(writes);
    return writes;
  }

  /** Discards the pending writes. */
  drop(): void {
    if (this.pending.size === 0) return;
    for (const [map, layer] of this.pending) this.reserve(map, layer, -1);
    this.pending.clear();
  }

  /** Discards all writes, also those that an attachment in audit committed. */
  reset(): void {
    this.drop();
    this.overlays.clear();
  }

  /** Commits writes that this attachment may make. */
  apply(writes: readonly MapWrite[]): void {
    for (const { map, key, value } of writes) {
      const its = this.maps.get(map);
      const writer = its?.writerOf(this.attachment) ?? null;
      if (its === undefined || writer === null) continue;
      if (this.mode === "enforce") its.set(key, value, writer);
      else {
        const owned = this.owns(its, key, writer);
        this.overlay(its).set(key, this.committed(map, key), value, its.get(key), owned);
      }
    }
  }

  private committed(map: string, key: string): string | null {
    const written = this.overlays.get(map)?.writes.get(key);
    return written === undefined ? (this.maps.get(map)?.get(key) ?? null) : written;
  }

  private write(map: PolicyMap, key: string, before: string | null, value: string | null, writer: string): number {
    const owned = this.owns(map, key, writer);
    const layer = this.pending.get(map.name) ?? new Layer();
    this.pending.set(map.name, layer);
    this.reserve(map.name, layer, -1);
    layer.set(key, before, value, this.committed(map.name, key), owned);
    this.reserve(map.name, layer, 1);
    return 0;
  }

  /** Whether the entry that this view sees was written by `writer`, which is the writer of this view. */
  private owns(map: PolicyMap, key: string, writer: string): boolean {
    const written = this.pending.get(map.name)?.writes.get(key) ?? this.overlays.get(map.name)?.writes.get(key);
    if (written !== undefined && written !== null) return true;
    return map.ownerOf(key) === writer;
  }

  /** Size of a writer's entries in this view, plus the pending writes of other views in the same decision. */
  private holding(map: PolicyMap, writer: string): Size {
    const { used, reserved } = map.holdingOf(writer);
    const own = this.pending.get(map.name)?.own;
    const size = new Size().add(used).add(reserved).add(own).add(this.overlays.get(map.name)?.own);
    return this.mode === "enforce" ? size.add(own?.growth(), -1) : size;
  }

  /** Size of the map in this view, plus the pending writes of other views in the same decision. */
  private room(map: PolicyMap): Size {
    const own = this.pending.get(map.name)?.size;
    const room = new Size().add(map.used).add(map.reserved).add(own).add(this.overlays.get(map.name)?.size);
    return this.mode === "enforce" ? room.add(own?.growth(), -1) : room;
  }

  private reserve(map: string, { size, own }: Layer, sign: 1 | -1): void {
    const its = this.maps.get(map);
    const writer = its?.writerOf(this.attachment) ?? null;
    if (its === undefined || writer === null || this.mode !== "enforce") return;
    its.reserved.add(size.growth(), sign);
    its.holdingOf(writer).reserved.add(own.growth(), sign);
  }

  private overlay(map: PolicyMap): Layer {
    const overlay = this.overlays.get(map.name) ?? new Layer();
    this.overlays.set(map.name, overlay);
    // Keys are deleted from the map too: a deletion in the overlay is obsolete once the map lacks the key.
    if (overlay.writes.size > 2 * (map.limits?.entries ?? 0)) overlay.sweep((key) => map.get(key) !== null);
    return overlay;
  }
}

/** Writes on top of another state of the map, called the state below. Null marks a deleted key. */
class Layer {
  readonly writes = new Map<string, string | null>();
  /** Growth of the map by these writes. Each write is compared with the state below at the time of the write. */
  readonly size = new Size();
  /** The same, counting only entries of the view's writer. */
  readonly own = new Size();
  /** Size of the written values alone: an upper bound of the growth, even if the state below has changed since. */
  readonly held = new Size();

  /**
   * `before` is the value of the key in the view, `owned` whether the view's writer wrote that value, and `below` the
   * value of the key in the state below.
   */
  set(key: string, before: string | null, value: string | null, below: string | null, owned: boolean): void {
    this.size.change(key, before, value);
    this.own.change(key, owned ? before : null, value);
    this.held.change(key, this.writes.get(key) ?? null, value);
    // Without the key in the state below there is nothing to delete, so the write is removed.
    if (value === null && below === null) this.writes.delete(key);
    else this.writes.set(key, value);
  }

  /** Removes deletions of keys that the state below no longer has. */
  sweep(below: (key: string) => boolean): void {
    for (const [key, value] of this.writes) if (value === null && !below(key)) this.writes.delete(key);
  }
}

const NO_WRITES: readonly MapWrite[] = [];

/** A guest can pass text that is not JSON; a later look-up of it would fail, also in another policy. */
function isEntry({ schema }: PolicyMap, key: string, text: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return false;
  }
  return schema === null || schema.breach(key, value) === null;
}
