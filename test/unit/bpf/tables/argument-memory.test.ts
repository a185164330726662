/**
 * What helpers and kfuncs read and write behind their pointer arguments, held against the prototypes of kernels
 * (test/support/kernel-facts.ts). What the kernels' code writes, and when, is in no prototype: each row names its
 * place, which scripts/source-places.mjs looks up.
 */
import { describe, expect, it } from "vitest";
import { type ArgumentMemory, HELPER_MEMORY, KFUNC_MEMORY } from "../../../../src/bpf/tables/argument-memory.js";
import { HELPER_ROWS, type HelperRow } from "../../../../src/bpf/tables/helpers.js";
import { KFUNCS } from "../../../../src/bpf/tables/kfuncs.js";
import { KERNEL_FACTS } from "../../../support/kernel-facts.js";

const { helpers, kfuncs } = KERNEL_FACTS;
const helperRows = HELPER_ROWS.filter((row): row is HelperRow => row !== undefined);

interface Argument {
  readonly place: string;
  readonly type: string;
  /** The type of the next argument. */
  readonly next: string;
  readonly row: ArgumentMemory | undefined;
  readonly latest: boolean;
}

/** Every argument in every prototype of every helper. */
const HELPER_ARGUMENTS: readonly Argument[] = helperRows.flatMap(({ name }) =>
  Object.entries(helpers[name]?.protos ?? {}).flatMap(([proto, releases]) => {
    const types = proto.slice(proto.indexOf("(") + 1, -1).split(", ");
    return types.map((type, index) => ({
      place: `${name} ${index}: ${type} (${releases.join(", ")})`,
      type,
      next: types[index + 1] ?? "",
      row: HELPER_MEMORY.get(name)?.find((row) => row.index === index),
      latest: releases.includes("7.3"),
    }));
  }),
);

/** Types of pointers that need no row: never bytes of the program's stack. */
const NO_BYTES: Readonly<Record<string, string>> = {
  ARG_PTR_TO_CONST_STR: "a string in a read-only map",
  ARG_PTR_TO_SPIN_LOCK: "in a map value or an allocated object",
  ARG_PTR_TO_TIMER: "in a map value",
  ARG_PTR_TO_KPTR: "in a map value",
  ARG_KPTR_XCHG_DEST: "in a map value or an allocated object",
  ARG_PTR_TO_ALLOC_MEM: "a record of a ring buffer",
  ARG_PTR_TO_RINGBUF_MEM: "a record of a ring buffer",
  ARG_PTR_TO_STACK_OR_NULL: "passed on to the callback",
  ARG_PTR_TO_FUNC: "a callback",
  ARG_CONST_MAP_PTR: "a map",
  ARG_PTR_TO_CTX: "the context",
  ARG_PTR_TO_CTX_OR_NULL: "the context",
};

const isNumber = (type: string) =>
  /^(|ARG_ANYTHING|ARG_SCALAR|ARG_DONTCARE|ARG_(CONST|MEM)_(ALLOC_)?SIZE.*)$/.test(type);
const isObject = (type: string) => /BTF_ID|SOCK_COMMON|SOCKET|PERCPU/.test(type);
const isMemory = (type: string) => /^ARG_PTR_TO_(UNINIT_|FIXED_SIZE_)?MEM|^ARG_PTR_TO_MAP_(KEY|VALUE)/.test(type);
const isDynptr = (type: string) => /^ARG_PTR_TO_DYNPTR/.test(type);
/** A dynptr that the helper makes or takes away. */
const changesDynptr = (type: string) => isDynptr(type) && /MEM_UNINIT|OBJ_RELEASE/.test(type);

describe("the memory of helpers", () => {
  it("has a row for each argument that points to memory, and for no other", () => {
    const unknown = HELPER_ARGUMENTS.filter(
      ({ type }) =>
        !isNumber(type) &&
        !isObject(type) &&
        !isMemory(type) &&
        !isDynptr(type) &&
        NO_BYTES[type.split(" | ")[0]!] === undefined,
    );
    expect(unknown.map(({ place }) => place)).toEqual([]);
    const wrong = HELPER_ARGUMENTS.filter(
      ({ type, row }) => (row !== undefined) !== (isMemory(type) || changesDynptr(type)),
    );
    expect(wrong.map(({ place }) => place)).toEqual([]);
    expect(HELPER_ARGUMENTS.filter(({ row }) => row !== undefined).length).toBeGreaterThan(200);
  });

  it("has the extents that the prototypes give", () => {
    const wrong = HELPER_ARGUMENTS.filter(({ row }) => row !== undefined).filter(({ type, next, row }) => {
      const { extent, index, opaque } = row!;
      if (changesDynptr(type)) return !(opaque === true && typeof extent === "object" && "bytes" in extent);
      if (/MAP_KEY/.test(type)) return extent !== "key";
      if (/MAP_VALUE/.test(type)) return extent !== "value";
      if (typeof extent !== "object") return true;
      if (/FIXED_SIZE/.test(type)) return !("bytes" in extent);
      return !/_SIZE/.test(next) || !("argument" in extent) || extent.argument !== index + 1;
    });
    expect(wrong.map(({ place }) => place)).toEqual([]);
  });

  it("says that memory is read where the verifier requires it initialised, and not where it is to be filled", () => {
    const READ_IN_SPITE = ["check_mtu"];
    const wrong = HELPER_ARGUMENTS.filter(({ type, row, latest }) => latest && row !== undefined && isMemory(type))
      .filter(({ type, row, place }) => {
        if (/UNINIT/.test(type) && !READ_IN_SPITE.includes(place.split(" ")[0]!))
          return row!.reads && row!.readOfMap === undefined;
        return !/MEM_WRITE/.test(type) && !row!.reads;
      })
      .map(({ place }) => place);
    expect(wrong).toEqual([]);
  });

  it("says that memory is written only where the verifier knows it, too", () => {
    const wrong = HELPER_ARGUMENTS.filter(
      ({ type, row, latest }) => latest && row !== undefined && row.written !== "no" && !/UNINIT|MEM_WRITE/.test(type),
    );
    expect(wrong.map(({ place }) => place)).toEqual([]);
  });
});

/** Structs that a kfunc takes but that are no bytes of the program's stack. */
const OBJECTS: Readonly<Record<string, string>> = {
  "an object of the kernel": `Qdisc bpf_crypto_ctx bpf_key bpf_ksock cgroup cgroup_subsys_state dentry file hid_bpf_ctx
    iou_ctx mem_cgroup netlink_ext_ack nf_conn nf_conn___init path sk_buff sock sock_common socket
    task_struct tcp_sock xfrm_state bpf_ws_lock bpf_sk_buff_ptr`,
  "a mask that the kernel allocated": "bpf_cpumask cpumask",
  "in a map value or an allocated object": `bpf_list_head bpf_list_node bpf_rb_node bpf_rb_root bpf_res_spin_lock
    bpf_task_work bpf_timer bpf_wq bpf_map`,
  "the context": "__sk_buff xdp_md bpf_sock_addr_kern bpf_sock_ops_kern",
  "a dynptr, which the verifier tracks": "bpf_dynptr bpf_dynptr_kern",
  "in an arena": "scx_cmask",
};
const OBJECT_NAMES = new Set(Object.values(OBJECTS).flatMap((names) => names.split(/\s+/)));

/** Suffixes of a parameter's name that keep it from the stack (Documentation/bpf/kfuncs.rst). */
const ELSEWHERE = /__(str|map|const_map|arena|arena__nullable|alloc|refcounted_kptr|prog)$|^(meta|aux|addr|ptr)__ign$/;
const CALLER = /^bpf_(session_cookie|session_is_return|cast_to_kern_ctx)$/;

interface Parameter {
  readonly place: string;
  readonly kfunc: string;
  readonly type: string;
  readonly name: string;
  readonly next: string;
  readonly returns: string;
  readonly row: ArgumentMemory | undefined;
}

const PARAMETERS: readonly Parameter[] = KFUNCS.flatMap(({ name: kfunc }) =>
  Object.entries(kfuncs[kfunc]?.protos ?? {}).flatMap(([proto, releases]) => {
    const inner = proto.slice(proto.indexOf(" (") + 2, -1);
    const parameters = inner === "" ? [] : inner.split(/, (?![^(]*\)\()/);
    return parameters.slice(0, 5).map((parameter, index) => {
      const [, type, name] = parameter.match(/^(.*?)(\w*(?:\[\])?)$/s)!;
      return {
        place: `${kfunc} ${index}: ${parameter} (${releases.join(", ")})`,
        kfunc,
        type: type!.trim(),
        name: name!,
        next: parameters[index + 1] ?? "",
        returns: proto.slice(0, proto.indexOf(" (")),
        row: KFUNC_MEMORY.get(kfunc)?.find((row) => row.index === index),
      };
    });
  }),
);

function pointsToBytes({ type, name, kfunc }: Parameter): boolean {
  if (!type.endsWith("*") || /\(\*/.test(type) || ELSEWHERE.test(name) || CALLER.test(kfunc)) return false;
  if (name.endsWith("__uninit")) return true;
  const struct = type.match(/\bstruct (\w+)/)?.[1];
  return struct === undefined || !OBJECT_NAMES.has(struct);
}

describe("the memory of kfuncs", () => {
  it("has a row for each argument that can point to the program's memory", () => {
    const missing = PARAMETERS.filter((each) => pointsToBytes(each) && each.row === undefined);
    expect(missing.map(({ place }) => place)).toEqual([]);
    expect(PARAMETERS.filter(({ row }) => row !== undefined).length).toBeGreaterThan(150);
  });

  it("names no kfunc and no argument that no kernel has", () => {
    for (const [name, rows] of KFUNC_MEMORY)
      for (const { index } of rows) {
        const protos = Object.keys(kfuncs[name]?.protos ?? {});
        expect(
          protos.some((proto) => proto.split(", ").length > index),
          `${name} ${index}`,
        ).toBe(true);
      }
  });

  it("has the extent that the next argument's name or the pointer's type gives", () => {
    const SIZES: Readonly<Record<string, number>> = {
      "__be16 *": 2,
      "u16 *": 2,
      "u32 *": 4,
      "int *": 4,
      "enum xdp_rss_hash_type *": 4,
      "u64 *": 8,
      "bool *": 1,
      "long unsigned int *": 8,
    };
    const wrong = PARAMETERS.filter(({ row }) => row !== undefined).filter(({ type, name, next, row }) => {
      const sized = next.match(/(\w+?)__szk?$/)?.[1];
      if (sized !== undefined && name.replace(/__\w+$/, "") === sized.replace(/^len$/, name))
        return JSON.stringify(row!.extent) !== JSON.stringify({ argument: row!.index + 1 });
      const size = name.endsWith("__ign") ? undefined : SIZES[type];
      return size !== undefined && JSON.stringify(row!.extent) !== JSON.stringify({ bytes: size });
    });
    expect(wrong.map(({ place }) => place)).toEqual([]);
  });

  it("says of iterators, new dynptrs and saved flags that the kernel keeps its data there", () => {
    const kept = PARAMETERS.filter(
      ({ type, name, kfunc }) =>
        (/struct bpf_iter_/.test(type) && /_(new|next|destroy)$/.test(kfunc)) ||
        (/struct bpf_dynptr/.test(type) && name.endsWith("__uninit")) ||
        name.endsWith("__irq_flag"),
    );
    expect(kept.filter(({ row }) => row?.opaque !== true).map(({ place }) => place)).toEqual([]);
    expect(new Set(kept.map(({ kfunc }) => kfunc)).size).toBeGreaterThan(25);
  });

  it("judges success only by results of 32 bits", () => {
    const wrong = PARAMETERS.filter(({ row }) => row?.written === "on_success" || row?.written === "result_bytes");
    expect(wrong.filter(({ returns }) => !/^(int|s32)$/.test(returns)).map(({ place }) => place)).toEqual([]);
  });
});

it("names a file and a function of the kernel for each row", () => {
  for (const [name, rows] of [...HELPER_MEMORY, ...KFUNC_MEMORY])
    for (const { source } of rows) expect(source, name).toMatch(/^[\w/-]+\.c: \w+/);
});
