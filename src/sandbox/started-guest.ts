import type { EngineCode } from "./quickjs/engine.js";
import { NEVER, type SavedMemory } from "./quickjs/memory.js";
import type { Callbacks, JSContextPointer, JSRuntimePointer, Module } from "./quickjs/module.js";
import * as layout from "./shared/buffer-layout.js";
import { PREPARE_MEMORY, PREPARE_UNITS } from "./shared/limits.js";
import { type GuestShape, type Handles, INTRINSICS, startGuest } from "./start.js";

/** A guest in a module, which has no policy yet. */
export interface StartedGuest {
  readonly runtime: JSRuntimePointer;
  readonly context: JSContextPointer;
  readonly handles: Handles;
  /** Address of the shared buffer, which an ArrayBuffer of the guest owns. */
  readonly buffer: number;
}

/** A guest that was the first of its module, with the module's memory. */
interface GuestImage {
  readonly guest: StartedGuest;
  readonly memory: SavedMemory;
}

/** Images that are kept for one engine; each takes about as much memory as its guest. */
const MAX_IMAGES = 4;

/** Images by the guests' shapes, least recently used first; null for a shape that was used once. */
const imagesOf = new WeakMap<EngineCode, Map<string, GuestImage | null>>();

/**
 * Starts a guest with a runtime of its own; the stack is in bytes. Evaluating the guest takes most of the time that a
 * new policy takes, and leaves the same bytes in the memory of each new module, but for the seed of Math.random, which
 * the guest removes: from the third module on that is used with a shape, they are copied. Throws a GuestError.
 */
export function startedGuest(module: Module, stack: number, shape: GuestShape, callbacks: Callbacks): StartedGuest {
  if (module.isUsed) return start(module, stack, shape, callbacks);
  const images = imagesOf.get(module.code) ?? new Map<string, GuestImage | null>();
  imagesOf.set(module.code, images);
  const key = JSON.stringify(shape);
  const image = images.get(key);
  images.delete(key);
  if (image) {
    images.set(key, image);
    module.restore(image.memory, image.guest, stack, callbacks);
    return image.guest;
  }
  const guest = start(module, stack, shape, callbacks);
  // the first one may stay the only one, and would pay for its image in vain
  const isKept = image === null && module.memory.hasInitialSize;
  images.set(key, isKept ? { guest, memory: module.memory.image() } : null);
  for (const oldest of images.keys()) {
    if (images.size <= MAX_IMAGES) break;
    images.delete(oldest);
  }
  return guest;
}

function start(module: Module, stack: number, shape: GuestShape, callbacks: Callbacks): StartedGuest {
  const buffer = module.allocate(layout.BUFFER_SIZE);
  const integers = module.integers(buffer, layout.INTEGERS);
  integers.fill(0);
  integers[layout.BUDGET] = PREPARE_MEMORY;
  integers[layout.COLLECT] = NEVER;
  module.memory.run(buffer);
  module.memory.units = PREPARE_UNITS;
  const [runtime, context] = module.newContext({ stack }, INTRINSICS, callbacks);
  return { runtime, context, handles: startGuest(module, context, buffer, shape), buffer };
}
