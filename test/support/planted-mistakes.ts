/** A mistake that is planted in a policy or configuration, with `§` where lint reports it. */
export interface Planted {
  readonly code: string;
  readonly title: string;
  /** Files by name. `countersign.yaml` is linted if there is one, otherwise `policy.js`. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether lint finds it only with `--scan`. */
  readonly forScan?: true;
}

/** The text of a policy that imports what it uses. */
function policy(body: string): string {
  const names = "deny map_lookup map_update note signer_of verify_program verify_signature hash EPERM ENODATA PKCS7";
  const used = names.split(" ").filter((name) => new RegExp(`\\b${name}\\b`).test(body));
  const imports = used.length === 0 ? "" : `import { ${used.join(", ")} } from "countersign";\n`;
  return `${imports}export function bpf_prog_load(prog, current) {\n${body}\n}\n`;
}

const inPolicy = (code: string, title: string, body: string): Planted => {
  return { code, title, files: { "policy.js": policy(body) } };
};
const asPolicy = (code: string, title: string, text: string): Planted => ({
  code,
  title,
  files: { "policy.js": text },
});

const ALLOW = "export const bpf_prog_load = () => 0;\n";
const config = (code: string, title: string, yaml: string, files: Readonly<Record<string, string>> = {}): Planted => {
  return { code, title, files: { "countersign.yaml": `version: 1\n${yaml}`, "allow.js": ALLOW, ...files } };
};
const DIGEST = "5f1d2c3b4a5968778695a4b3c2d1e0f05f1d2c3b4a5968778695a4b3c2d1e0f0";

/** Mistakes that an engine rejects or warns about at start. */
export const FOUND_AT_START: readonly Planted[] = [
  asPolicy("POLICY_SYNTAX", "a missing brace", "export function bpf_prog_load() {\n  return 0;\n§"),
  asPolicy("POLICY_FORBIDDEN", "an async hook", "export §async function bpf_prog_load() { return 0; }\n"),
  asPolicy("POLICY_UNKNOWN_HOOK", "a misspelt hook", "§export const bpf_prog_laod = () => 0;\n"),
  asPolicy("POLICY_UNKNOWN_NAME", "a misspelt import", `import { §denny } from "countersign";\n${ALLOW}`),
  inPolicy(
    "POLICY_UNUSED_DENIAL",
    "a denial that is not returned",
    '  if (prog.effects.redirects) §deny("no");\n  return 0;',
  ),
  inPolicy("POLICY_UNKNOWN_FACT", "a misspelt fact", '  return prog.effects.§redirect ? deny("redirects") : 0;'),
  inPolicy("POLICY_NEVER_MATCHES", "a misspelt type", '  return prog.type === §"kprobes" ? deny("kprobe") : 0;'),
  inPolicy(
    "POLICY_COPIED_FACTS",
    "a copy of facts",
    '  const all = { §...prog };\n  return all.name === "x" ? deny("x") : 0;',
  ),
  config("CONFIG_INVALID", "a misspelt key", "attachments:\n  - { policy: allow.js, §mod: audit }\n"),
  config(
    "SELECTOR_INVALID",
    "a broken selector",
    'attachments:\n  - policy: allow.js\n    scope: { labels: "tier in §edge" }\n',
  ),
  config("POLICY_UNKNOWN_NAME", "a keyring that is not configured", "attachments:\n  - policy: policy.js\n", {
    "policy.js": policy('  return verify_program(prog, §"platform");'),
  }),
  config(
    "MAP_INVALID",
    "a map with a key twice",
    "maps: { rules: { file: rules.json } }\nattachments:\n  - policy: policy.js\n",
    {
      "policy.js": policy('  return map_lookup("rules", prog.name) === 1 ? 0 : deny("no rule");'),
      "rules.json": '{ "a": 1, §"a": 2 }\n',
    },
  ),
  config(
    "MAP_WRITE_DENIED",
    "a write to a map that is read-only",
    "maps: { rules: { file: rules.json } }\nattachments:\n  - policy: policy.js\n",
    { "policy.js": policy('  return map_update(§"rules", prog.name, 1);'), "rules.json": "{}\n" },
  ),
  config(
    "SCOPE_UNKNOWN_LABEL",
    "a misspelt label in a scope",
    'attachments:\n  - { policy: allow.js, scope: { labels: "tier=edge" } }\n' +
      '  - { name: b, policy: allow.js, scope: { labels: "tier=prod" } }\n' +
      '  - §{ name: c, policy: allow.js, scope: { labels: "teir=dev" } }\n',
  ),
];

/** Mistakes that only lint reports. */
export const FOUND_BY_LINT: readonly Planted[] = [
  inPolicy(
    "LINT_UNREACHABLE_CODE",
    "a check after a return",
    '  return 0;\n  §if (prog.effects.redirects) return deny("redirects");',
  ),
  inPolicy("LINT_UNREACHABLE_CODE", "code after an endless loop", "  while (true) {}\n  §return 0;"),
  inPolicy("LINT_RETURN_NOT_INTEGER", "a boolean", '  if (prog.name === "a") §return true;\n  return 0;'),
  inPolicy("LINT_RETURN_NOT_INTEGER", "a helper that is not called", "  §return deny;"),
  inPolicy(
    "LINT_RETURN_NOT_INTEGER",
    "`&&` whose left side is false",
    '  §return prog.effects.redirects && deny("redirects");',
  ),
  asPolicy(
    "LINT_RETURN_NOT_INTEGER",
    "a function without a value",
    "function decide(prog) {\n  if (prog.effects.redirects) return -1;\n}\n" +
      "export const bpf_prog_load = (prog) => §decide(prog);\n",
  ),
  inPolicy("LINT_RETURN_POSITIVE", "a positive errno", "  if (prog.effects.redirects) §return EPERM;\n  return 0;"),
  inPolicy("LINT_RETURN_POSITIVE", "a denial with a sign", '  §return -deny("redirects");'),
  asPolicy(
    "LINT_MISSING_RETURN",
    "a case without a return",
    "export function bpf_prog_load(prog) {\n  if (prog.effects.redirects) return -1;\n§}\n",
  ),
  inPolicy(
    "LINT_INVERTED_VERIFICATION",
    "a verification as a condition",
    '  if (§verify_program(prog, "platform")) return 0;\n  return deny("not signed");',
  ),
  inPolicy(
    "LINT_INVERTED_VERIFICATION",
    "a negated verification",
    '  const verdict = verify_program(prog, "platform");\n  if (§!verdict) return deny("not signed");\n  return 0;',
  ),
  inPolicy("LINT_UNUSED_RESULT", "a verification without effect", '  §verify_program(prog, "platform");\n  return 0;'),
  inPolicy(
    "LINT_CATCH_ALLOWS",
    "a catch that allows",
    '  try {\n    return verify_program(prog, "platform");\n  } catch {\n    §return 0;\n  }',
  ),
  inPolicy(
    "LINT_COMM_ALLOWS",
    "a name that the task chooses",
    '  if (§current.comm === "bpftrace") return 0;\n  return deny("no");',
  ),
  inPolicy(
    "LINT_COMPUTED_NAME",
    "a keyring named by a label",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a policy
    "  const tier = current.container?.labels?.tier;\n  return verify_program(prog, §`tier-${tier}`);",
  ),
  inPolicy(
    "LINT_COMPUTED_NAME",
    "a keyring named by a sum",
    '  const keyring = "ring-" + prog.license;\n  return verify_program(prog, §keyring);',
  ),
  inPolicy("LINT_HELPER_ARGUMENTS", "a missing keyring", "  return §verify_program(prog);"),
  inPolicy("LINT_HELPER_ARGUMENTS", "an unknown algorithm", '  return hash(§"md5", prog.insns) === "00" ? 0 : -1;'),
  inPolicy("LINT_HELPER_ARGUMENTS", "arguments in the wrong order", '  return deny(§EPERM, "redirects");'),
  inPolicy("LINT_DENY_ERRNO", "a negative errno", '  return deny("redirects", §-EPERM);'),
  inPolicy(
    "LINT_DENY_ERRNO",
    "a verdict as an errno",
    '  const verdict = verify_program(prog, "platform");\n  return verdict === 0 ? 0 : deny("not signed", §verdict);',
  ),
  inPolicy(
    "LINT_ERRNO_SIGN",
    "a comparison with a positive errno",
    '  const verdict = verify_program(prog, "platform");\n' +
      '  if (§verdict === ENODATA) return deny("not signed");\n  return verdict;',
  ),
  inPolicy("LINT_TYPE_MISMATCH", "a uid as text", '  return §current.uid === "0" ? 0 : deny("not root");'),
  inPolicy(
    "LINT_TYPE_MISMATCH",
    "a verdict as a boolean",
    '  return §verify_program(prog, "platform") === true ? 0 : -1;',
  ),
  inPolicy(
    "LINT_TYPE_MISMATCH",
    "null as undefined",
    '  return §current.container === undefined ? 0 : deny("in a container");',
  ),
  inPolicy(
    "LINT_TYPE_MISMATCH",
    "a list of texts",
    '  return ["0", "1000"].includes(§current.uid) ? 0 : deny("not a user");',
  ),
  inPolicy("LINT_OBJECT_COMPARISON", "an empty list", '  return §prog.kfuncs === [] ? 0 : deny("calls kfuncs");'),
  inPolicy("LINT_OUT_OF_RANGE", "a length below 0", '  return §prog.helpers.length < 0 ? deny("helpers") : 0;'),
  inPolicy(
    "LINT_TYPEOF",
    "a type that does not exist",
    '  return typeof map_lookup("m", "k") === §"int" ? 0 : deny("no");',
  ),
  inPolicy(
    "LINT_DIGEST_SPELLING",
    "a digest in capitals",
    `  return prog.digest === §"${DIGEST.toUpperCase()}" ? 0 : deny("no");`,
  ),
  inPolicy(
    "LINT_DIGEST_SPELLING",
    "a short digest in a list",
    `  return ["${DIGEST}", §"5f1d"].includes(prog.digest) ? 0 : -1;`,
  ),
  inPolicy(
    "POLICY_NEVER_MATCHES",
    "a capability without CAP_",
    '  return current.capabilities.includes(§"SYS_ADMIN") ? 0 : -1;',
  ),
  asPolicy(
    "LINT_UNKNOWN_FACT",
    "a path that can be unknown",
    'export const kernel_read_file = (file) => (§file.path === "/lib/modules/x.ko" ? 0 : -1);\n',
  ),
  asPolicy(
    "LINT_UNKNOWN_FACT",
    "a path that can be unknown, in a pattern, beside a hook where it is known",
    `export function bprm_check_security(file) {
  return file.path === "/bin/sh" ? 0 : -1;
}
export function kernel_read_file(file) {
  const { §path } = file;
  return path === null ? 0 : -1;
}
`,
  ),
  asPolicy(
    "LINT_UNKNOWN_FACT",
    "a path that is asked only in another branch",
    `export function kernel_read_file(file) {
  if (file.name === "dummy" && "path" in file) return file.path === null ? 0 : -1;
  return §file.path === "/lib/modules/x.ko" ? 0 : -1;
}
`,
  ),
  asPolicy(
    "LINT_UNKNOWN_FACT",
    "parameters that are taken from the argument",
    'export const kernel_read_file = ({ §parameters }) => (parameters === "" ? 0 : -1);\n',
  ),
  {
    ...inPolicy("LINT_UNKNOWN_IN_SCAN", "a licence", '  return §prog.license === "GPL" ? 0 : deny("GPL only");'),
    forScan: true,
  },
  {
    ...inPolicy(
      "LINT_UNKNOWN_IN_SCAN",
      "contents of maps",
      '  return "maps" in prog && prog.maps.every((map) => §map.contents === null) ? 0 : deny("constants");',
    ),
    forScan: true,
  },
  inPolicy(
    "LINT_NULLABLE_FACT",
    "a container that can be null",
    '  return §current.container.name === "web" ? 0 : -1;',
  ),
  inPolicy(
    "LINT_NULLABLE_FACT",
    "a signer that can be null",
    '  const { subject } = §signer_of(prog, "platform");\n  return subject === "CN=A" ? 0 : -1;',
  ),
  inPolicy(
    "LINT_SHADOWED_RULE",
    "the same condition twice",
    '  if (prog.type === "xdp") return 0;\n' +
      '  if (§prog.type === "xdp" && prog.effects.redirects) return deny("redirects");\n' +
      "  return -1;",
  ),
  inPolicy(
    "LINT_SHADOWED_RULE",
    "a branch that an earlier one covers",
    "  if (prog.effects.redirects || prog.effects.sends_signal) return -1;\n" +
      '  else if (§prog.effects.sends_signal) return deny("signals");\n  return 0;',
  ),
  inPolicy(
    "LINT_CONTRADICTION",
    "two types at once",
    '  return prog.type === "xdp" && §prog.type === "kprobe" ? 0 : -1;',
  ),
  inPolicy(
    "LINT_CONTRADICTION",
    "unequal to one of two",
    '  return prog.type !== "xdp" || §prog.type !== "kprobe" ? -1 : 0;',
  ),
  inPolicy("LINT_SELF_COMPARISON", "a fact with itself", "  return §prog.tag === prog.tag ? 0 : -1;"),
  inPolicy(
    "LINT_ASSIGNMENT_IN_CONDITION",
    "one equals sign",
    '  let type = prog.type;\n  if (§type = "xdp") return 0;\n  return type === "tc" ? -1 : -2;',
  ),
  inPolicy("LINT_CONSTANT_CONDITION", "a text as an operand", '  return prog.type === "xdp" || §"kprobe" ? 0 : -1;'),
  inPolicy(
    "LINT_CONSTANT_CONDITION",
    "an object as a condition",
    '  if (§prog.effects) return deny("has effects");\n  return 0;',
  ),
  inPolicy("LINT_INDEX_AS_CONDITION", "a position", '  return §prog.helpers.indexOf("bpf_bind") ? -1 : 0;'),
  inPolicy("LINT_NEGATED_OPERAND", "`!` before a comparison", '  return §!prog.license === "GPL" ? -1 : 0;'),
  inPolicy("LINT_CHAINED_COMPARISON", "a range", "  return §1 < prog.insn_cnt < 4096 ? 0 : -1;"),
  inPolicy("LINT_IN_LIST", "`in` for a list", '  return §"bpf_probe_write_user" in prog.helpers ? -1 : 0;'),
  inPolicy(
    "LINT_FOR_IN_LIST",
    "`for in` over a list",
    "  §for (const name in prog.helpers) if (name.length > 30) return -1;\n  return 0;",
  ),
  inPolicy(
    "LINT_FACT_CHANGED",
    "a list that is sorted in place",
    '  return prog.helpers.§sort()[0] === "bpf_bind" ? -1 : 0;',
  ),
  inPolicy("LINT_FACT_CHANGED", "a fact that is assigned", "  §current.uid = 0;\n  return current.uid ? -1 : 0;"),
  inPolicy(
    "LINT_DUPLICATE_CASE",
    "the same case twice",
    '  switch (prog.type) {\n    case "xdp":\n      return 0;\n    case §"xdp":\n' +
      "      return -1;\n    default:\n      return -2;\n  }",
  ),
  inPolicy("LINT_DUPLICATE_KEY", "the same key twice", "  return { xdp: 0, kprobe: -1, §xdp: -2 }[prog.type] ?? -3;"),
  inPolicy(
    "LINT_FALLTHROUGH",
    "a case without a break",
    '  let verdict = -1;\n  switch (prog.type) {\n    case "xdp":\n      §verdict = 0;\n' +
      '    case "kprobe":\n      verdict = -2;\n  }\n  return verdict;',
  ),
  asPolicy(
    "LINT_STATE_LOST",
    "a counter",
    "let loads = 0;\nexport function bpf_prog_load() {\n  §loads += 1;\n  return loads > 10 ? -1 : 0;\n}\n",
  ),
  asPolicy("LINT_UNKNOWN_GLOBAL", "a missing import", 'export const bpf_prog_load = () => §deny("nothing loads");\n'),
  asPolicy(
    "LINT_UNKNOWN_GLOBAL",
    "a name of node",
    "export function bpf_prog_load(prog) {\n  §console.log(prog.name);\n  return 0;\n}\n",
  ),
  asPolicy("LINT_UNUSED_IMPORT", "an import without use", `import { §verify_program } from "countersign";\n${ALLOW}`),
  {
    code: "LINT_UNKNOWN_LABEL",
    title: "a label that the tests spell differently",
    files: {
      "policy.js": policy('  return current.container?.labels?.§teir === "edge" ? -1 : 0;'),
      "policy.test.yaml": "- { file: a.o, labels: { tier: edge }, expect: deny }\n",
    },
  },
  config(
    "LINT_SCOPE_NEVER_MATCHES",
    "two values of one label",
    'attachments:\n  - §{ policy: allow.js, scope: { labels: "tier=a, tier=b" } }\n',
  ),
  config(
    "LINT_SCOPE_NEVER_MATCHES",
    "labels outside of containers",
    'attachments:\n  - §{ policy: allow.js, scope: { labels: "tier=a", container: false } }\n',
  ),
  config(
    "LINT_SCOPE_NEVER_MATCHES",
    "a relative path",
    "attachments:\n  - §{ policy: allow.js, scope: { exe: usr/sbin/bpftool } }\n",
  ),
  config(
    "LINT_SCOPE_NEVER_MATCHES",
    "a long name",
    "attachments:\n  - §{ policy: allow.js, scope: { comm: systemd-networkd-wait-online } }\n",
  ),
  config(
    "LINT_DUPLICATE_ATTACHMENT",
    "the same twice",
    "attachments:\n  - policy: allow.js\n  - §{ name: again, policy: allow.js }\n",
  ),
  config(
    "LINT_UNUSED_NAME",
    "a map without a reader",
    "maps: { §rules: { file: rules.json } }\nattachments:\n  - policy: allow.js\n",
    { "rules.json": "{}\n" },
  ),
  config(
    "LINT_MAP_KEY_MISSING",
    "a key that the map's file spells in another way",
    "maps: { limits: { file: limits.json } }\nattachments:\n  - policy: policy.js\n",
    {
      "policy.js": policy('  return prog.insn_cnt > map_lookup("limits", §"max_insns") ? deny("large") : 0;'),
      "limits.json": '{ "max_insn": 100 }\n',
    },
  ),
  ...schemaMistakes(),
  config(
    "LINT_MAP_DIGEST_KEY",
    "a digest in capitals as a key",
    "maps: { allowed: { file: allowed.json } }\nattachments:\n  - policy: policy.js\n",
    {
      "policy.js": policy('  return map_lookup("allowed", prog.digest) === undefined ? deny("unknown") : 0;'),
      "allowed.json": `{ "§${DIGEST.toUpperCase()}": {} }\n`,
    },
  ),
];

/** Policies that ask a map with a schema for what it excludes. */
function schemaMistakes(): Planted[] {
  const maps = (values: string, keys = "") =>
    `maps: { budgets: { writable: { entries: 10, bytes: 1KiB }${keys}, values: ${values} } }\nattachments:\n  - policy: policy.js\n`;
  const limits =
    "{ type: object, properties: { max: { type: integer, minimum: 1, maximum: 4096 }, level: { enum: [low, high] } }, " +
    "required: [max], additionalProperties: false }";
  const keys = ", keys: { enum: [edge, core] }";
  const budget = '  const budget = map_lookup("budgets", "edge");\n  if (budget === undefined) return 0;\n';
  const mistake = (code: string, title: string, yaml: string, body: string) =>
    config(code, title, yaml, { "policy.js": policy(body) });
  return [
    mistake(
      "LINT_MAP_KEY_IMPOSSIBLE",
      "a key that `keys` does not list",
      maps(limits, keys),
      '  return map_lookup("budgets", §"egde") === undefined ? deny("none") : 0;',
    ),
    mistake(
      "LINT_MAP_KEY_IMPOSSIBLE",
      "a key that is no digest, in map_update",
      maps("{ type: integer }", ", keys: { hex: 32 }"),
      '  return map_update("budgets", §"edge", 1);',
    ),
    mistake(
      "LINT_MAP_KEY_IMPOSSIBLE",
      "a property that `properties` does not have",
      maps(limits, keys),
      `${budget}  return budget.§maximum === 1 ? deny("one") : 0;`,
    ),
    mistake(
      "LINT_MAP_VALUE_IMPOSSIBLE",
      "a value that `enum` does not have",
      maps(limits, keys),
      `${budget}  return §budget.level === "medium" ? deny("medium") : 0;`,
    ),
    mistake(
      "LINT_MAP_VALUE_IMPOSSIBLE",
      "a number beyond `maximum`",
      maps(limits, keys),
      `${budget}  return §budget.max > 4096 ? deny("more") : 0;`,
    ),
    mistake(
      "LINT_MAP_VALUE_IMPOSSIBLE",
      "a number below `minimum`, on the right",
      maps(limits, keys),
      `${budget}  const { max } = budget;\n  return §0 >= max ? deny("none") : 0;`,
    ),
    mistake(
      "LINT_MAP_VALUE_IMPOSSIBLE",
      "a type that `type` does not have",
      maps(limits, keys),
      `${budget}  return §typeof budget.max === "string" ? deny("text") : 0;`,
    ),
    mistake(
      "LINT_MAP_VALUE_IMPOSSIBLE",
      "a case for an element that `items` excludes",
      maps("{ type: array, items: { enum: [xdp, tc] } }", keys),
      '  for (const each of map_lookup("budgets", "edge") ?? [])\n    switch (each) {\n      case §"kprobe":\n        return deny("kprobe");\n    }\n  return 0;',
    ),
  ];
}
