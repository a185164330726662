import { Btf } from "../btf/btf.js";
import { type KconfigVariable, kconfigLayout, kconfigSize } from "../object/kconfig.js";
import type { StatedObject } from "../statement/content.js";

/** The facts about the running kernel from which libbpf computes `.kconfig`, and by which maps are created. */
export interface KernelConfiguration {
  /** `KERNEL_VERSION(a, b, c)` of LINUX_KERNEL_VERSION (libbpf's get_kernel_version). */
  readonly version: number;
  /** `CONFIG_X` and its value as in the kernel's configuration: `y`, `"text"`, `0x10`; null if it cannot be read. */
  readonly options: ReadonlyMap<string, string> | null;
  /** Whether the kernel's BTF has a function. */
  readonly hasFunction: (name: string) => boolean;
  /** The number of possible CPUs, which need not be online; null if it cannot be read. */
  readonly possibleCpus: number | null;
}

/**
 * The value of the map `.kconfig` (libbpf's bpf_object__resolve_externs): the object's variables with the values of the
 * running kernel. Returns a description of the first variable for which libbpf would not load the object.
 */
export function kconfigContents(
  { externs }: Pick<StatedObject, "externs">,
  originalBtf: Uint8Array,
  kernel: KernelConfiguration,
): Uint8Array | string {
  const btf = new Btf(originalBtf);
  const layout = kconfigLayout(btf);
  const weak = new Set(externs.filter((extern) => extern.weak).map(({ name }) => name));
  const contents = new Uint8Array(kconfigSize(layout));
  for (const variable of layout) {
    const { name, offset, size } = variable;
    const part = contents.subarray(offset, offset + size);
    const error = name.startsWith("CONFIG_")
      ? writeOption(btf, variable, part, kernel.options, weak.has(name))
      : writeFeature(btf, variable, part, kernel, weak.has(name));
    if (error !== null) return `\`${name}\`, ${error}`;
  }
  return contents;
}

const UNREADABLE = "which is in the kernel's configuration, which cannot be read";
const UNSET = "which this kernel does not have";

function writeOption(
  btf: Btf,
  variable: KconfigVariable,
  part: Uint8Array,
  options: KernelConfiguration["options"],
  isWeak: boolean,
): string | null {
  // libbpf loads no object with such a variable then, even if it is weak (bpf_object__read_kconfig_file)
  if (options === null) return UNREADABLE;
  const value = options.get(variable.name);
  if (value === undefined) return isWeak ? null : UNSET;
  const { kind, signed } = typeOf(btf, btf.target(variable.id));
  const unfit = `whose value ${value} has another type`;
  if (value === "y" || value === "n" || value === "m") {
    if (kind === "bool" && value !== "m") part[0] = value === "y" ? 1 : 0;
    else if (kind === "tristate") new DataView(part.buffer, part.byteOffset).setUint32(0, TRISTATE[value], true);
    else if (kind === "char") part[0] = value.charCodeAt(0);
    else return unfit;
    return null;
  }
  if (value.startsWith('"')) {
    if (kind !== "text" || !value.endsWith('"')) return unfit;
    const text = Buffer.from(value.slice(1, -1), "latin1").subarray(0, part.length - 1);
    part.set(text);
    return null;
  }
  if (kind !== "int" && kind !== "char") return unfit;
  return writeNumber(part, numberOf(value), signed) ? null : unfit;
}

/** enum libbpf_tristate. */
const TRISTATE = { n: 0, y: 1, m: 2 } as const;

/** libbpf's parse_u64: decimal, hexadecimal or octal, possibly negative. */
function numberOf(value: string): bigint | null {
  const [, sign, digits] = /^(-?)(0x[\da-fA-F]+|\d+)$/.exec(value) ?? [];
  if (digits === undefined) return null;
  const number = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return BigInt.asUintN(64, sign === "-" ? -number : number);
}

/** bpf(2) with the prefixes of libbpf's arch_specific_syscall_pfx. */
const SYSCALL_WRAPPERS = ["x64", "arm64", "s390x", "riscv", "powerpc"].map((prefix) => `__${prefix}_sys_bpf`);

/**
 * Values that libbpf computes itself. It probes for the helper bpf_get_attach_cookie in a kprobe program, and for a
 * kprobe on bpf(2). Both depend on the kernel's configuration, but a gate may be where that cannot be read, and the
 * kernel's BTF has the functions if they were compiled (kernel/trace/bpf_trace.c, kernel/trace/trace_kprobe.c).
 */
const FEATURES: Readonly<Record<string, (kernel: KernelConfiguration) => bigint>> = {
  LINUX_KERNEL_VERSION: ({ version }) => BigInt(version),
  LINUX_HAS_BPF_COOKIE: ({ hasFunction }) => BigInt(hasFunction("bpf_get_attach_cookie_trace")),
  LINUX_HAS_SYSCALL_WRAPPER: ({ hasFunction }) =>
    BigInt(hasFunction("create_local_trace_kprobe") && SYSCALL_WRAPPERS.some(hasFunction)),
};

function writeFeature(
  btf: Btf,
  { name, id }: KconfigVariable,
  part: Uint8Array,
  kernel: KernelConfiguration,
  isWeak: boolean,
): string | null {
  const feature = FEATURES[name];
  if (feature === undefined) return isWeak && name.startsWith("LINUX_") ? null : "which libbpf does not know";
  const { kind, signed } = typeOf(btf, btf.target(id));
  const fits = NUMERIC.has(kind) && writeNumber(part, feature(kernel), signed);
  return fits && !(kind === "bool" && part[0]! > 1) ? null : "whose type does not fit";
}

/** Types that a value of libbpf may have (set_kcfg_value_num). */
const NUMERIC: ReadonlySet<KconfigType["kind"]> = new Set(["int", "char", "bool"]);

function writeNumber(part: Uint8Array, value: bigint | null, signed: boolean): boolean {
  if (value === null) return false;
  const bits = part.length * 8;
  const number = signed ? BigInt.asIntN(64, value) : value;
  if ((signed ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number)) !== number) return false;
  for (let index = 0, rest = value; index < part.length; index++, rest >>= 8n) part[index] = Number(rest & 0xffn);
  return true;
}

interface KconfigType {
  readonly kind: "bool" | "char" | "int" | "tristate" | "text" | "other";
  readonly signed: boolean;
}

/** Bits of the encoding of BTF_KIND_INT. */
const SIGNED = 1;
const BOOL = 4;

/** libbpf's find_kcfg_type. */
function typeOf(btf: Btf, type: number): KconfigType {
  const id = btf.resolve(type);
  const size = btf.size(id);
  switch (btf.kind(id)) {
    case "int": {
      const encoding = btf.int(id)!.encoding;
      if (encoding & BOOL) return { kind: size === 1 ? "bool" : "other", signed: false };
      const kind = size === 1 ? "char" : [2, 4, 8].includes(size) ? "int" : "other";
      return { kind, signed: (encoding & SIGNED) !== 0 };
    }
    case "enum":
    case "enum64":
      return { kind: size === 4 && btf.name(id) === "libbpf_tristate" ? "tristate" : "other", signed: false };
    case "array": {
      const { element, count } = btf.array(id)!;
      return { kind: count > 0 && typeOf(btf, element).kind === "char" ? "text" : "other", signed: false };
    }
    default:
      return { kind: "other", signed: false };
  }
}

/** The number of CPUs in a list such as `0-3,8`, the form of /sys/devices/system/cpu/possible; null for other text. */
export function cpuCount(list: string): number | null {
  let count = 0;
  for (const range of list.trim().split(",")) {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range) ?? [];
    if (first === undefined || Number(last) < Number(first)) return null;
    count += Number(last) - Number(first) + 1;
  }
  return count;
}

const CONFIG_LINE = /^(CONFIG_\w+)=(.+)$/;

/** The options of a kernel's configuration file that are set. libbpf uses the first line of each. */
export function parseKernelConfig(text: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, value] = CONFIG_LINE.exec(line) ?? [];
    if (name !== undefined && !options.has(name)) options.set(name, value!);
  }
  return options;
}

/**
 * The version as libbpf's get_kernel_version finds it: Ubuntu says it in /proc/version_signature and Debian in the
 * version of uname(2). 0 if there is none.
 */
export function kernelVersion(release: string, version: string, ubuntuSignature: string | null): number {
  const numbers =
    /^\S+\s+\S+\s+(\d+)\.(\d+)\.(\d+)/.exec(ubuntuSignature ?? "") ??
    /Debian (\d+)\.(\d+)\.(\d+)/.exec(version) ??
    /^(\d+)\.(\d+)\.(\d+)/.exec(release);
  if (numbers === null) return 0;
  const [major, minor, patch] = numbers.slice(1).map(Number);
  return major! * 0x10000 + minor! * 0x100 + Math.min(patch!, 255);
}
