import { expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import type { LinkReport, ProgramReport } from "../../../../src/loaded/model/objects.js";
import { KernelTypes } from "../../../../src/loaded/views/kernel-types.js";
import { withTracedFunctions } from "../../../../src/loaded/views/traced-functions.js";
import { readsOf } from "../../../support/answers.js";
import { NO_PROGRAM } from "../../../support/translated.js";

/** BTF whose types from 1 on are integers of these names. */
function typesOf(...names: readonly string[]): Uint8Array {
  const writer = new BtfWriter();
  for (const name of names) writer.int(name, 4);
  return writer.bytes();
}

const types = new KernelTypes(
  readsOf([
    ["@bpf/btf/1/bytes", typesOf("long", "do_nanosleep")],
    ["@bpf/btf/9/name", Buffer.from("")],
    ["@bpf/btf/9/bytes", typesOf("int", "verdict")],
  ]),
);
const program = (id: number, given: Partial<ProgramReport>) => ({ ...NO_PROGRAM, id, type: "tracing", ...given });
const PROGRAMS = [
  program(3, { loadedFor: { btfObject: 1, btfId: 2 } }),
  program(4, { type: "ext", loadedFor: { btfObject: 0, btfId: 2 } }),
  program(5, { loadedFor: { btfObject: 0, btfId: 2 } }),
  program(6, { type: "xdp", btfId: 9 }),
  program(7, { loadedFor: { btfObject: 8, btfId: 2 } }),
];

function targetOf(of: number, object: number, type = 2, attach = "trace_fentry"): LinkReport["target"] {
  const target = { attach_type: attach, target_obj_id: object, target_btf_id: type };
  return withTracedFunctions([{ id: 1, type: "tracing", program: of, target }], PROGRAMS, types)[0]!.target;
}

it("names functions of the kernel and of programs", () => {
  expect(targetOf(3, 1)).toMatchObject({ target_name: "do_nanosleep", target_program: null });
  expect(targetOf(5, 6)).toMatchObject({ target_name: "verdict", target_program: 6, attach_type: "trace_fentry" });
});

it("has no attach type for a program that replaces a function, which the kernel shows as 0", () => {
  const target = targetOf(4, 6, 2, "cgroup_inet_ingress");
  expect(target).toMatchObject({ attach_type: null, target_name: "verdict", target_program: 6 });
});

it("takes no type of the kernel for one of a program that is gone, or of a module that cannot be read", () => {
  expect(targetOf(5, 77)).toMatchObject({ target_name: null, target_program: null });
  expect(targetOf(7, 8)).toMatchObject({ target_name: null, target_program: null });
  expect(targetOf(3, 1, 99)).toMatchObject({ target_name: null });
});

it("leaves other links as they are", () => {
  const link: LinkReport = { id: 2, type: "xdp", program: 6, target: { ifindex: 1 } };
  expect(withTracedFunctions([link], PROGRAMS, types)).toEqual([link]);
});
