import { setHeader } from "./elf-patch.js";
import { example } from "./examples.js";

/** An ELF file of another machine with these parts behind it, such as a program that embeds BPF objects. */
export const elfProgram = (...parts: readonly Uint8Array[]): Buffer =>
  Buffer.concat([setHeader(example("drop-telnet"), "machine", 62), ...parts]);

/** A program with more BPF objects in it than are read. */
export function crowdedProgram(): Buffer {
  const object = example("drop-telnet");
  return elfProgram(...Array.from({ length: 257 }, () => object));
}

/** A file that ends as a signed kernel module does. */
export const signedModule = (): Buffer => Buffer.from(`module${"~Module signature appended~\n"}`);
