import { elfOf, symbolOf } from "../../src/bpf/assembly/elf-writer.js";
import { CALL, insnsOf, MOV } from "./core-program.js";

/** A program of a written object: it calls a helper without arguments if there is one, and returns 1. */
export interface ReturningProgram {
  readonly name: string;
  readonly section: string;
  /** Its number in linux/bpf.h. */
  readonly helper?: number;
}

const EXIT = 0x95;

/** An object with one program in each section. The sections' names have to differ. */
export function returningPrograms(programs: readonly ReturningProgram[]): Buffer {
  const texts = programs.map(({ section, helper }) => ({
    ...{ name: section, type: 1, flags: 6 },
    data: insnsOf([
      ...(helper === undefined ? [] : [[MOV, 1, 0, 0, 0] as const, [CALL, 0, 0, 0, helper] as const]),
      [MOV, 0, 0, 0, 1],
      [EXIT],
    ]),
  }));
  const names = Buffer.from(`\0${programs.map(({ name }) => `${name}\0`).join("")}`, "latin1");
  const symbols = programs.map(({ name }, index) =>
    symbolOf(names.indexOf(`\0${name}\0`) + 1, 0x12, index + 1, 0, texts[index]!.data.length),
  );
  const license = texts.length + 1;
  return elfOf(
    ...texts,
    { name: "license", type: 1, flags: 3, data: Buffer.from("GPL\0") },
    { name: ".strtab", type: 3, data: names },
    { name: ".symtab", type: 2, link: license + 1, info: 1, data: Buffer.concat([Buffer.alloc(24), ...symbols]) },
  );
}
