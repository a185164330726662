import * as z from "zod";

/** A name of linux/bpf.h, as this project spells it: `cgroup_skb`, `bpf_map_lookup_elem`. */
const kernelName = z.string().regex(/^[a-z0-9_]{1,64}$/, {
  error: "is not a name of the kernel; write it in lower case, such as `cgroup_skb` or `bpf_map_lookup_elem`",
});
const filled = { error: "is empty; list one, or remove the key" };
const kernelNames = z.array(kernelName).min(1, filled);

const CLASS = z.strictObject({
  name: kernelName.describe("For `seal plan`"),
  type: kernelName.describe("The program type"),
  attach: kernelNames.optional().describe("Attach types; only loads that name none unless given"),
  helpers: kernelNames.optional().describe("Helpers that programs may call; none unless given"),
  maps: kernelNames.optional().describe("Types of maps that programs may have; no maps unless given"),
  instructions: z.int().min(1).max(1_000_000).default(4096).describe("The most that a program may have"),
});

/** `seal` of the configuration: what the guard admits without a list, and what it denies although it is listed. */
export const SEAL = z
  .strictObject({
    admit: z
      .array(
        z.union([kernelName, CLASS], { error: "is neither the name of a class nor a class with `name` and `type`" }),
      )
      .max(16, { error: "has more than 16 classes; remove some" })
      .default([])
      .describe("Classes of programs that load without being listed"),
    mask: z
      .strictObject({
        types: kernelNames.optional().describe("Program types"),
        helpers: kernelNames.optional().describe("Helpers"),
      })
      .prefault({})
      .describe("Programs that are denied whatever allows them: of these types, or with one of these helpers"),
  })
  .prefault({})
  .describe("What the kernel enforces beside a list, for `seal build` and `seal plan`");

type SealInput = z.output<typeof SEAL>;

/** A class as it is written; `src/seal/classes` knows the kernel's names. */
export interface WrittenClass {
  readonly name: string;
  readonly place: string;
  /** Null for a class that is only named. */
  readonly rules: Omit<z.output<typeof CLASS>, "name"> | null;
}

export interface SealConfig {
  readonly admit: readonly WrittenClass[];
  readonly mask: { readonly place: string; readonly types: readonly string[]; readonly helpers: readonly string[] };
}

/** `place` gives the place of a value in the file. */
export function sealConfig(
  { admit, mask }: SealInput,
  place: (path: readonly (string | number)[]) => string,
): SealConfig {
  return {
    admit: admit.map((written, index) => {
      const at = place(["seal", "admit", index]);
      if (typeof written === "string") return { name: written, place: at, rules: null };
      const { name, ...rules } = written;
      return { name, place: at, rules };
    }),
    mask: { place: place(["seal", "mask"]), types: mask.types ?? [], helpers: mask.helpers ?? [] },
  };
}
