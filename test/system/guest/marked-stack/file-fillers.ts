import { type Filler, fills, none, PATHS } from "./filler.js";
import { opened } from "./hosts.js";

/** What helpers and kfuncs have in common that run where a file is opened, which may sleep. */
const FILE_PATH = "r1 = *(u64 *)(r6 + 0); r1 += offset(file.f_path)";
export const dPath = (call: string): Filler[] => {
  const code = `${FILE_PATH}; r2 = buffer; r3 = size; call ${call}`;
  const name = call.replace(/^kfunc |^bpf_/, "");
  const other = none("the path of another file");
  return [
    fills(name, opened(PATHS.short), 40, [other, code, other]),
    fills(name, opened(PATHS.exact), 40, [other, other, code]),
    fills(name, opened(PATHS.long), 40, [code, other, other]),
  ];
};
export const FILE = opened(PATHS.short);

export const ofTask = (call: string, address: number, flags: number) =>
  `call bpf_get_current_task_btf; r4 = r0; r1 = buffer; r2 = size; r3 = ${address}; r5 = ${flags}; call ${call}`;
