import type { LearnBy } from "./learn-by.js";
import { LEARNT_MAP } from "./learnt-map.js";
import { HOST, UNKNOWN_LABELS, withLabel, withoutLabel } from "./task-place.js";

/** The first words of files that `learn` writes: it overwrites no others. */
export const MADE_BY = "Made by `countersign learn";

/** What a policy is learnt by. */
export interface PolicyForm {
  readonly by: LearnBy;
  /** The key of the label by which tasks are told apart; null for all tasks together. */
  readonly label: string | null;
  /** The keyrings that verify statements, sorted. */
  readonly keyrings: readonly string[];
}

/** The text of a policy that allows what its map has. */
export function learntPolicy(form: PolicyForm): string {
  const { by, label, keyrings } = form;
  const asked = keyrings.map((keyring, index) => question(by, keyring, index)).filter((one) => one !== null);
  const imports = ["deny", "map_lookup", ...new Set(asked.map(({ helper }) => helper))];
  return `// ${MADE_BY} ${optionsOf(form)}\`: allows the programs that the map ${LEARNT_MAP} has, and no other.
import { ${imports.join(", ")} } from "countersign";
${label === null ? "" : placeFunction(label)}
${by === "effects" ? byEffects(label !== null) : byKeys(by, asked, label !== null)}`;
}

/** The options that a form was made with, in ASCII and without what ends a comment. */
export function optionsOf({ by, label }: PolicyForm): string {
  const key = label === null ? "" : literal(label).slice(1, -1).replaceAll("`", "'");
  return `--by ${by}${label === null ? "" : ` --label ${key}`}`;
}

/** A string of JavaScript and JSON in ASCII. */
function literal(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function placeFunction(label: string): string {
  const key = literal(label);
  return `
/** Where a task runs, as the entries of the map say it. */
function place({ container }) {
  if (container === null) return ${literal(HOST)};
  if (container.labels === null) return ${literal(UNKNOWN_LABELS)};
  if (!Object.hasOwn(container.labels, ${key})) return ${literal(withoutLabel(label))};
  return ${literal(withLabel(label, ""))} + container.labels[${key}];
}
`;
}

/** What a policy asks one keyring. */
interface Question {
  readonly helper: string;
  readonly keyring: string;
  /** The variable with what the helper returned. */
  readonly found: string;
  /** The key of the map for `found`; part of a template. */
  readonly key: string;
}

/** Null for what no keyring is asked about. */
function question(by: LearnBy, keyring: string, index: number): Question | null {
  const found = `found${index === 0 ? "" : index + 1}`;
  switch (by) {
    case "statement":
      return {
        helper: "statement_of",
        keyring,
        found,
        key: `statement ${keyring} \${${found}.sha256} \${${found}.name}`,
      };
    case "signer":
      return { helper: "signer_of", keyring, found, key: `signer ${keyring} \${${found}.key_id}` };
    default:
      return null;
  }
}

/** `isPlaced`: whether entries are for places. */
function byKeys(by: LearnBy, asked: readonly Question[], isPlaced: boolean): string {
  const [where, isThere, at] = isPlaced
    ? [", where", "entry != null && entry.where.includes(where)", ` for \${where}`]
    : ["", "entry != null", ""];
  const checks = asked.map(
    ({ helper, keyring, found, key }) => `  const ${found} = ${helper}(prog, ${literal(keyring)});
  if (${found} !== null && isLearnt(\`${key}\`${where})) return 0;
`,
  );
  const without = asked.length === 0 ? "" : `has no ${by} that was learnt, and its `;
  return `/** Whether the map has an entry${isPlaced ? " for the place" : ""}. */
function isLearnt(key${where}) {
  const entry = map_lookup("${LEARNT_MAP}", key);
  return ${isThere};
}

export function bpf_prog_load(prog${isPlaced ? ", current" : ""}) {
${isPlaced ? "  const where = place(current);\n" : ""}${checks.join("")}\
  if (isLearnt(\`digest \${prog.type} \${prog.digest}\`${where})) return 0;
  return deny(\`${without}digest \${prog.digest} (\${prog.type}) was not learnt${at}\`);
}
`;
}

function byEffects(isPlaced: boolean): string {
  const [entry, isThere, at] = isPlaced
    ? ["{ effects, where }", " && where.includes(here)", ` for \${here}`]
    : ["{ effects }", "", ""];
  return `export function bpf_prog_load(prog${isPlaced ? ", current" : ""}) {
${isPlaced ? "  const here = place(current);\n" : ""}\
  const its = Object.keys(prog.effects).filter((name) => name !== "read_only" && prog.effects[name]);
  const learnt = map_lookup("${LEARNT_MAP}", \`effects \${prog.type}\`) ?? [];
  if (learnt.some((${entry}) => its.every((name) => effects.includes(name))${isThere})) return 0;
  return deny(\`no \${prog.type} program with these effects was learnt${at}: \${its.join(", ")}\`);
}
`;
}
