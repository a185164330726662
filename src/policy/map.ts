import { ERRNO } from "../errno.js";
import type { Mode } from "./mode.js";

/** How large a writable map may grow; a map that is not writable has none. */
export interface MapLimits {
  readonly entries: number;
  /** Of keys and values (as JSON text) together, in UTF-16 units of two bytes: what they take in memory. */
  readonly bytes: number;
}

/** One change of a map. `value` is JSON text, or null where the key was deleted. */
export interface MapWrite {
  readonly map: string;
  readonly key: string;
  readonly value: string | null;
}

/**
 * A map of the configuration: string keys to JSON values, kept as JSON text since that is how they cross into a guest.
 * Policies reach it through a MapView; nothing here changes but by a view's commit.
 */
export class PolicyMap {
  private readonly entries = new Map<string, string>();
  /** What the entries take, and what pending writes may add to it. */
  readonly used = new Size();
  readonly reserved = new Size();

  constructor(
    readonly name: string,
    initial: Readonly<Record<string, unknown>>,
    readonly limits: MapLimits | null,
  ) {
    for (const [key, value] of Object.entries(initial)) this.set(key, JSON.stringify(value));
  }

  get(key: string): string | null {
    return this.entries.get(key) ?? null;
  }

  set(key: string, value: string | null): void {
    this.used.change(key, this.get(key), value);
    if (value === null) this.entries.delete(key);
    else this.entries.set(key, value);
  }
}

/**
 * The maps as one attachment sees them while it answers: its own pending writes over what is committed. Writes wait for
 * `commit` or `drop`; other attachments of the same decision do not see them, so that what one answers never hangs on the
 * order or the mode of another. An audit attachment commits to an overlay that it alone sees: what it would write changes
 * nothing for anybody else, and it still finds it there next time.
 */
export class MapView {
  private readonly pending = new Map<string, Layer>();
  private readonly overlays = new Map<string, Layer>();

  constructor(
    private readonly maps: ReadonlyMap<string, PolicyMap>,
    private readonly mode: Mode,
  ) {}

  has(map: string): boolean {
    return this.maps.has(map);
  }

  names(): Iterable<string> {
    return this.maps.keys();
  }

  /** JSON text, or null where there is no such key. */
  lookup(map: string, key: string): string | null {
    const written = this.pending.get(map)?.writes.get(key);
    return written === undefined ? this.committed(map, key) : written;
  }

  /**
   * Sets a key to JSON text. 0; -ENOENT where there is no such map, and as the kernel's BPF_MAP_UPDATE_ELEM -EPERM for one
   * that is not writable and -E2BIG for one that is full; -EINVAL for what is not JSON.
   */
  update(map: string, key: string, value: string): number {
    const its = this.maps.get(map);
    if (its === undefined) return -ERRNO.ENOENT;
    if (its.limits === null) return -ERRNO.EPERM;
    if (!isJson(value)) return -ERRNO.EINVAL;
    const before = this.lookup(map, key);
    const own = this.pending.get(map);
    const written = new Size().add(own?.held).change(key, own?.writes.get(key) ?? null, value);
    const sizes = [this.room(its).change(key, before, value), written, this.overlays.get(map)?.held];
    if (sizes.some((size) => size?.exceeds(its.limits!))) return -ERRNO.E2BIG;
    return this.write(its, key, before, value);
  }

  /** Deletes a key. 0; -EPERM for a map that is not writable, -ENOENT where there is no such map or key. */
  delete(map: string, key: string): number {
    const its = this.maps.get(map);
    if (its === undefined) return -ERRNO.ENOENT;
    if (its.limits === null) return -ERRNO.EPERM;
    const before = this.lookup(map, key);
    return before === null ? -ERRNO.ENOENT : this.write(its, key, before, null);
  }

  /** Makes the pending writes count, and says what they were. */
  commit(): readonly MapWrite[] {
    if (this.pending.size === 0) return NO_WRITES;
    const writes: MapWrite[] = [];
    for (const [map, layer] of this.pending) for (const [key, value] of layer.writes) writes.push({ map, key, value });
    this.drop();
    this.apply(writes);
    return writes;
  }

  /** Forgets the pending writes. */
  drop(): void {
    if (this.pending.size === 0) return;
    for (const [map, layer] of this.pending) this.reserve(map, layer.size, -1);
    this.pending.clear();
  }

  /** Repeats writes that an earlier view of the same attachment committed. */
  apply(writes: readonly MapWrite[]): void {
    for (const { map, key, value } of writes) {
      const its = this.maps.get(map);
      if (its === undefined) continue;
      if (this.mode === "enforce") its.set(key, value);
      else this.overlay(its).set(key, this.committed(map, key), value, its.get(key));
    }
  }

  private committed(map: string, key: string): string | null {
    const written = this.overlays.get(map)?.writes.get(key);
    return written === undefined ? (this.maps.get(map)?.get(key) ?? null) : written;
  }

  private write(map: PolicyMap, key: string, before: string | null, value: string | null): number {
    const layer = this.pending.get(map.name) ?? new Layer();
    this.pending.set(map.name, layer);
    this.reserve(map.name, layer.size, -1);
    layer.set(key, before, value, this.committed(map.name, key));
    this.reserve(map.name, layer.size, 1);
    return 0;
  }

  /** What the map takes as this view sees it, with what other views of the same decision may still add. */
  private room(map: PolicyMap): Size {
    const own = this.pending.get(map.name)?.size;
    const room = new Size().add(map.used).add(map.reserved).add(own).add(this.overlays.get(map.name)?.size);
    return this.mode === "enforce" ? room.add(own?.growth(), -1) : room;
  }

  private reserve(map: string, size: Size, sign: 1 | -1): void {
    if (this.mode === "enforce") this.maps.get(map)?.reserved.add(size.growth(), sign);
  }

  private overlay(map: PolicyMap): Layer {
    const overlay = this.overlays.get(map.name) ?? new Layer();
    this.overlays.set(map.name, overlay);
    // keys of the map come and go: those that it has no more need not be deleted
    if (overlay.writes.size > 2 * (map.limits?.entries ?? 0)) overlay.sweep((key) => map.get(key) !== null);
    return overlay;
  }
}

/** Writes over something below; null marks what is deleted. */
class Layer {
  readonly writes = new Map<string, string | null>();
  /** How much larger this makes what lies below it, as that was when each key was written. */
  readonly size = new Size();
  /** What it takes by itself: a bound that holds however what lies below has changed since. */
  readonly held = new Size();

  /** `before` is what the key had as seen through this, and `below` what lies under it. */
  set(key: string, before: string | null, value: string | null, below: string | null): void {
    this.size.change(key, before, value);
    this.held.change(key, this.writes.get(key) ?? null, value);
    // where nothing lies below there is nothing to delete, and a key that came and went leaves no trace
    if (value === null && below === null) this.writes.delete(key);
    else this.writes.set(key, value);
  }

  /** Forgets what was deleted and does not lie below any more. */
  sweep(below: (key: string) => boolean): void {
    for (const [key, value] of this.writes) if (value === null && !below(key)) this.writes.delete(key);
  }
}

/** Entries and bytes; negative where something became smaller. */
class Size {
  constructor(
    public entries = 0,
    public bytes = 0,
  ) {}

  add(other: Size | undefined, sign: 1 | -1 = 1): this {
    this.entries += sign * (other?.entries ?? 0);
    this.bytes += sign * (other?.bytes ?? 0);
    return this;
  }

  /** A key's value changes; null is none. */
  change(key: string, before: string | null, after: string | null): this {
    this.entries += Number(after !== null) - Number(before !== null);
    this.bytes += taken(key, after) - taken(key, before);
    return this;
  }

  exceeds(limits: MapLimits): boolean {
    return this.entries > limits.entries || this.bytes > limits.bytes;
  }

  growth(): Size {
    return new Size(Math.max(0, this.entries), Math.max(0, this.bytes));
  }
}

const NO_WRITES: readonly MapWrite[] = [];

function taken(key: string, value: string | null): number {
  return value === null ? 0 : 2 * (key.length + value.length);
}

/** What a guest says is JSON may not be, and the next policy to look it up would stumble over it. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
