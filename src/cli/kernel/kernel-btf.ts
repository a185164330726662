import { Btf } from "../../bpf/btf/btf.js";
import { unsupported } from "./source/kernel-error.js";

/** The sections of BPF objects that libbpf reads by their names, and that no kernel has. */
const OBJECT_SECTIONS = ["license", ".maps", ".kconfig", ".ksyms"];

const NAME_VMLINUX = "name the BTF of the kernel itself, such as /sys/kernel/btf/vmlinux";

/**
 * Reads the BTF of a kernel. Rejects only what cannot be one: a file with a part of a kernel's types, as btfhub and
 * `bpftool gen min_core_btf` make them, may lack any type. Throws BTF_MALFORMED, KERNEL_UNSUPPORTED.
 */
export function kernelBtf(bytes: Uint8Array, path: string): Btf {
  const btf = new Btf(bytes, path);
  if (isSplit(bytes, btf))
    throw unsupported(path, "is the BTF of a module, which refers to its kernel's", NAME_VMLINUX);
  const section = OBJECT_SECTIONS.find((name) => btf.section(name) !== 0);
  if (section === undefined) return btf;
  throw unsupported(path, `is the BTF of a BPF object, since it has the section \`${section}\``, NAME_VMLINUX);
}

/** The strings of whole BTF begin with the empty one, those of split BTF do not (btf_parse_str_sec of the kernel). */
function isSplit(bytes: Uint8Array, { order }: Btf): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number) => view.getUint32(at, order === "little");
  const [header, strings, size] = [word(4), word(16), word(20)];
  return size === 0 || bytes[header + strings] !== 0;
}
