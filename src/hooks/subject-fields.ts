import { BYTES, hex, named, oneOf, orNull, TEXT } from "../fact-type.js";
import { AT_A_CALL, differs, EVERYWHERE, known, OF_CONTENTS, type SubjectFields } from "../known-fact.js";
import { FILE_PURPOSES, MAP_ACCESS, type SubjectKind } from "./catalogue.js";

/** Why the digest of a map offline is not that of a gate where a part of the definition is not, as a clause. */
export const COVERS_DEFINITION = "it covers the facts before it";
const ONLY_IN_GATE = { ...AT_A_CALL, offline: "not asked" } as const;
const OUTSIDE_OF_KERNEL = { ...EVERYWHERE, gate: "not asked", sealed: "not asked", scan: "not asked" } as const;

/** The facts of subjects that are not in tables of `bpf`; of maps those that only hooks about maps have. */
export const OWN_FIELDS = {
  map: {
    digest: {
      type: hex(32),
      doc: "SHA-256 of its definition in lower-case hex: the same offline and in a gate.",
      known: known({ offline: differs(COVERS_DEFINITION), sealed: "not asked" }),
    },
    access: {
      type: orNull(oneOf("MapAccess", MAP_ACCESS), "while the map is being created"),
      doc: "The access that the fd gives.",
      known: known({ sealed: "not asked" }),
    },
  },
  token: {
    name: { type: named("CommandName"), doc: "`BPF_TOKEN_CREATE`.", known: ONLY_IN_GATE },
    digest: { type: hex(32), doc: "SHA-256 in lower-case hex: the same for all tokens.", known: ONLY_IN_GATE },
  },
  file: {
    path: {
      type: orNull(TEXT, "for a module that does not come from a file: init_module(2), or a memfd"),
      doc: "",
      known: {
        ...OF_CONTENTS,
        gate: {
          unknown: "for a module's file that a gate does not find in its own mount namespace, or that is deleted",
          at: ["kernel_read_file"],
        },
        sealed: differs("the guard does not see where the file is"),
      },
    },
    name: {
      type: orNull(TEXT, "for a module in a gate that is compressed, or has none"),
      doc: "The last part of the path; of a module in a gate the name that the kernel lists it by.",
      known: {
        ...OF_CONTENTS,
        gate: differs("the kernel lists a module by the name in it"),
        sealed: differs("the guard does not see the file's name"),
      },
    },
    sha256: { type: hex(32), doc: "SHA-256 of the whole file in lower-case hex.", known: OF_CONTENTS },
    digest: {
      type: hex(32),
      doc: "The same as `sha256`.",
      known: OF_CONTENTS,
    },
    data: { type: BYTES, doc: "", known: OF_CONTENTS },
    signature: {
      type: orNull(BYTES, "if there is none, and in a gate"),
      doc: "Detached signature over `data`.",
      known: { ...OF_CONTENTS, gate: "null" },
    },
    purpose: { type: oneOf("FilePurpose", FILE_PURPOSES), doc: "Why the kernel reads the file.", known: OF_CONTENTS },
    parameters: {
      type: orNull(TEXT, "for any other file"),
      doc: "Parameters of a kernel module.",
      known: {
        ...OF_CONTENTS,
        offline: { unknown: "for a module outside of a gate, where nobody loads it", at: ["kernel_read_file"] },
        sealed: differs("the guard does not compare parameters of modules"),
      },
    },
  },
  blob: {
    name: { type: TEXT, doc: "", known: OUTSIDE_OF_KERNEL },
    digest: { type: hex(32), doc: "SHA-256 of `data` in lower-case hex.", known: OUTSIDE_OF_KERNEL },
    data: { type: BYTES, doc: "", known: OUTSIDE_OF_KERNEL },
    signature: {
      type: orNull(BYTES, "if there is none"),
      doc: "Detached signature over `data`.",
      known: OUTSIDE_OF_KERNEL,
    },
  },
} as const satisfies Readonly<Partial<Record<SubjectKind, SubjectFields>>>;
