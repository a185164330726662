import { elfSections, isElf } from "../../bpf/elf/elf.js";
import { CountersignError } from "../../error.js";
import { deny } from "../call/failure.js";

/**
 * The name by which the kernel lists a module: that of its `struct module`, which is in the section
 * .gnu.linkonce.this_module (load_module of kernel/module/main.c). Null if the name is empty, or if the file is no ELF
 * file, such as a compressed module. Denies a module whose section .modinfo has another name, by which the kernel looks
 * for it in its blacklist and in messages, and one whose sections cannot be read.
 */
export function moduleName(data: Uint8Array): string | null {
  if (!isElf(data)) return null;
  const [own, info] = [THIS_MODULE, MODINFO].map((name) => sectionOf(data, name));
  const name = own === null ? "" : textAt(own!.subarray(NAME_AT, NAME_AT + NAME_LENGTH));
  const told = info === null ? null : tagOf(info!, "name");
  if (told !== null && told !== name)
    return deny("module_name", `the kernel would list it as \`${name}\`, and its .modinfo names it \`${told}\``);
  return name === "" ? null : name;
}

const THIS_MODULE = ".gnu.linkonce.this_module";
const MODINFO = ".modinfo";
/** Offset of `name` in `struct module` on 64-bit machines: after a state and a list (include/linux/module.h). */
const NAME_AT = 24;
/** MODULE_NAME_LEN of include/linux/moduleparam.h. */
const NAME_LENGTH = 56;
/** SHF_ALLOC of elf(5): the kernel finds only sections with this flag (find_sec of kernel/module/main.c). */
const ALLOC = 2;

function sectionOf(data: Uint8Array, name: string): Uint8Array | null {
  try {
    const found = elfSections(data).filter((section) => section.name === name && section.flags & ALLOC);
    if (found.length > 1) return deny("unreadable", `it has more than one section ${name}`);
    return found[0]?.data ?? null;
  } catch (error) {
    if (error instanceof CountersignError) return deny("unreadable", `its ELF file is malformed: ${error.message}`);
    throw error;
  }
}

/** The text before the first NUL. */
function textAt(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  return text.split("\0", 1)[0] as string;
}

/** The value of the first tag of this name in .modinfo: `name=value` strings, each ended by NUL. */
function tagOf(info: Uint8Array, name: string): string | null {
  const tags = Buffer.from(info).toString("latin1").split("\0");
  return tags.find((tag) => tag.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}
