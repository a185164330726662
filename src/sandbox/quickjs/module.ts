import type {
  EvalFlags,
  JSContextPointer,
  JSRuntimePointer,
  JSValueConstPointerPointer,
  JSValuePointer,
  QuickJSEmscriptenModule,
  QuickJSFFI,
} from "@jitl/quickjs-ffi-types";
import { type EngineCode, engineCode } from "./engine.js";
import { GuestMemory, type SavedMemory } from "./memory.js";

export type { JSContextPointer, JSRuntimePointer, JSValuePointer };

/** Callbacks from the engine while a context runs. An exception from a callback ends the call and breaks the module. */
export interface Callbacks {
  /**
   * Called when the guest calls the host. `value(i)` borrows an argument. Returns an owned value, or 0 for undefined.
   */
  called(count: number, value: (index: number) => JSValuePointer): JSValuePointer;
  /** Whether to stop. Called at intervals while bytecode runs. */
  interrupted(): boolean;
}

const NOTHING = 0 as JSValuePointer;

/**
 * One WASM instance with its own memory, for one domain. It is created synchronously, so that a broken one can be
 * replaced during a decision. It uses the FFI of quickjs-emscripten directly, whose wrapper objects cost more than a
 * decision.
 */
export class Module {
  readonly ffi: QuickJSFFI;
  readonly #heap: QuickJSEmscriptenModule;
  readonly #contexts = new Map<JSContextPointer, Callbacks>();
  readonly #runtimes = new Map<JSRuntimePointer, Callbacks>();
  readonly memory = new GuestMemory();
  /** Set when the engine has trapped or exhausted the host's stack: its memory can no longer be trusted. */
  broken = false;
  /** Whether it has, or had, a block or a context. */
  isUsed = false;

  constructor(readonly code: EngineCode = engineCode()) {
    this.#heap = instantiate(code, this.memory);
    this.#heap.callbacks = {
      callFunction: (_, context, _this, count, values) => {
        const value = (index: number) => this.ffi.QTS_ArgvGetJSValueConstPointer(values as never, index) as never;
        return this.#contexts.get(context)?.called(count, value) ?? NOTHING;
      },
      shouldInterrupt: (_, runtime) => (this.#runtimes.get(runtime)?.interrupted() === false ? 0 : 1),
      freeHostRef: () => {},
      loadModuleSource: () => 0 as never,
      normalizeModule: () => 0 as never,
    };
    this.ffi = new code.FFI(this.#heap);
  }

  /** Bytes of linear memory, which never shrinks. */
  get size(): number {
    return this.memory.size;
  }

  /** `stack` is in bytes. The memory of a context is limited by `memory`. */
  newContext(
    { stack }: { readonly stack: number },
    intrinsics: number,
    callbacks: Callbacks,
  ): [JSRuntimePointer, JSContextPointer] {
    this.isUsed = true;
    const runtime = this.ffi.QTS_NewRuntime();
    this.ffi.QTS_RuntimeSetMaxStackSize(runtime, stack);
    this.#runtimes.set(runtime, callbacks);
    this.ffi.QTS_RuntimeEnableInterruptHandler(runtime);
    const context = this.ffi.QTS_NewContext(runtime, intrinsics as never);
    this.#contexts.set(context, callbacks);
    return [runtime, context];
  }

  /** Makes a new module what another one of the same code was, which had only the one context; `stack` is in bytes. */
  restore(
    memory: SavedMemory,
    { runtime, context }: { readonly runtime: JSRuntimePointer; readonly context: JSContextPointer },
    stack: number,
    callbacks: Callbacks,
  ): void {
    this.isUsed = true;
    this.memory.restore(memory, false);
    this.#runtimes.set(runtime, callbacks);
    this.#contexts.set(context, callbacks);
    this.ffi.QTS_RuntimeSetMaxStackSize(runtime, stack);
  }

  /** Returns the number of heap bytes that were freed. */
  freeContext(runtime: JSRuntimePointer, context: JSContextPointer): number {
    // Freeing the context frees its shared buffer, so count in the idle one
    this.memory.run();
    this.memory.allow(Number.POSITIVE_INFINITY);
    this.#contexts.delete(context);
    this.ffi.QTS_FreeContext(context);
    this.ffi.QTS_FreeRuntime(runtime);
    this.#runtimes.delete(runtime);
    return this.memory.given;
  }

  allocate(bytes: number): number {
    this.isUsed = true;
    const pointer = this.#heap._malloc(bytes);
    if (pointer === 0) throw new RangeError("no memory is left in the module");
    return pointer;
  }

  free(pointer: number): void {
    this.#heap._free(pointer);
  }

  /**
   * Bytes that the allocator (dlmalloc) reserves for a block: the word before the block, without its three flag bits.
   */
  blockSize(pointer: number): number {
    return this.integers(pointer - 4, 1)[0]! & -8;
  }

  /** 32-bit integers in the module's memory. The view is detached when memory grows: its length is then 0. */
  integers(pointer: number, length: number): Int32Array {
    return new Int32Array(this.#heap.HEAPU8.buffer, pointer, length);
  }

  /** As {@link integers}, for doubles; `pointer` must be a multiple of 8. */
  doubles(pointer: number, length: number): Float64Array {
    return new Float64Array(this.#heap.HEAPU8.buffer, pointer, length);
  }

  writePointers(pointer: number, values: readonly number[]): void {
    new Uint32Array(this.#heap.HEAPU8.buffer, pointer, values.length).set(values);
  }

  /**
   * Creates a string in the guest. The text must contain no NUL, which would end it, and no lone surrogate; JSON text
   * never does.
   */
  newString(context: JSContextPointer, text: string): JSValuePointer {
    const pointer = this.#write(text);
    const value = this.ffi.QTS_NewString(context, pointer as never);
    this.free(pointer);
    return value;
  }

  /** Creates a function whose calls are passed to the context's callbacks. */
  newFunction(context: JSContextPointer): JSValuePointer {
    return this.ffi.QTS_NewFunction(context, "", 1, false, 1 as never);
  }

  /** Reads a string of the guest, up to its first NUL. */
  readString(context: JSContextPointer, value: JSValuePointer): string {
    const pointer = this.ffi.QTS_GetString(context, value);
    const text = this.#heap.UTF8ToString(pointer);
    this.ffi.QTS_FreeCString(context, pointer);
    return text;
  }

  /**
   * Reads a property, as text, of an error that the engine created. Must not be used if a getter of a policy could run.
   */
  readProperty(context: JSContextPointer, object: JSValuePointer, name: string): string {
    const key = this.newString(context, name);
    const value = this.ffi.QTS_GetProp(context, object, key);
    const text = this.readString(context, value);
    this.ffi.QTS_FreeValuePointer(context, value);
    this.ffi.QTS_FreeValuePointer(context, key);
    return text;
  }

  /** Evaluates a script. The result may be an exception: see `exception`. */
  evaluate(context: JSContextPointer, text: string, file: string, flags = 0): JSValuePointer {
    const bytes = Buffer.byteLength(text);
    const pointer = this.#write(text);
    const value = this.ffi.QTS_Eval(context, pointer as never, bytes, file, 0 as never, flags as EvalFlags);
    this.free(pointer);
    return value;
  }

  /** The error if a result is an exception, or null. The caller must free the error. */
  exception(context: JSContextPointer, result: JSValuePointer): JSValuePointer | null {
    const error = this.ffi.QTS_ResolveException(context, result);
    return (error as number) === 0 ? null : error;
  }

  call(context: JSContextPointer, callee: JSValuePointer, values: readonly JSValuePointer[]): JSValuePointer {
    const pointers = this.allocate(4 * Math.max(1, values.length));
    this.writePointers(pointers, values);
    try {
      return this.ffi.QTS_Call(
        context,
        callee,
        this.ffi.QTS_GetUndefined() as never,
        values.length,
        pointers as JSValueConstPointerPointer,
      );
    } finally {
      this.free(pointers);
    }
  }

  #write(text: string): number {
    const room = 3 * text.length + 1;
    const pointer = this.allocate(room);
    const { written } = encoder.encodeInto(text, this.#heap.HEAPU8.subarray(pointer, pointer + room));
    this.#heap.HEAPU8[pointer + written] = 0;
    return pointer;
  }
}

const encoder = new TextEncoder();

function instantiate({ wasm, load }: EngineCode, memory: GuestMemory): QuickJSEmscriptenModule {
  const heap = {
    wasmMemory: memory.wasm,
    print: () => {},
    printErr: () => {},
    instantiateWasm(imports: WebAssembly.Imports, ready: (instance: WebAssembly.Instance) => void) {
      const instance = new WebAssembly.Instance(wasm, imports);
      ready(instance);
      return instance.exports;
    },
  };
  load(heap);
  if (!("_QTS_NewRuntime" in heap) || !("calledRun" in heap))
    throw new TypeError("the engine's loader did not finish synchronously");
  return heap as unknown as QuickJSEmscriptenModule;
}
