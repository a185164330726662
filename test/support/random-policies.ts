// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
/**
 * Policies drawn by chance, for comparing the explorer with the engine: facts, labels, maps and signatures are
 * compared, added, put into texts, lists, sets and objects, and handed through functions, loops and exceptions.
 */
type Next = (below: number) => number;

const TEXTS = ["prog.name", "prog.type", "prog.license", "current.comm", "prog.digest", "prog.tag"];
const TEXTS_OR_NULL = ["prog.section", "prog.attach_to", "prog.expected_attach_type", "current.exe", "current.cgroup"];
const FLAGS = [
  "prog.gpl_compatible",
  "prog.rewritten",
  "prog.effects.read_only",
  "prog.effects.redirects",
  "prog.effects.decides",
  "prog.effects.reads_kernel_memory",
];
const NUMBERS = ["prog.insn_cnt", "current.uid", "current.pid", "prog.insns.length", "prog.helpers.length"];
const WORDS = ["xdp", "sched_cls", "GPL", "Proprietary", "", "edge", "prod", "a", "toString", "tc"];
/** Texts of an element of `prog.maps` that is named `one`. */
const MAP_TEXTS = ["one.name", "one.type"];
/** Numbers of an element of `prog.maps`. */
const NUMBERS_OF_MAP = ["key_size", "value_size", "max_entries"];
/** Texts of a list of which nothing is known, or null. */
const FIRST = ["prog.helpers[0]", "prog.helpers.at(0)", "prog.maps[0]?.name", "prog.maps.at(0)?.type"];
const KEYS = ["uid", "tier", "x"];

export function randomPolicy(next: Next): string {
  return new Author(next).policy();
}

class Author {
  #names = 0;
  #depth = 0;
  readonly #known: Record<"text" | "number" | "flag" | "any", string[]> = { text: [], number: [], flag: [], any: [] };

  constructor(private readonly next: Next) {}

  policy(): string {
    const body = Array.from({ length: 1 + this.next(5) }, () => this.statement());
    return [
      'import * as cs from "countersign";',
      'import { deny, map_lookup, note, verify_program, verify_signature, hash, signer_of, PKCS7, ENODATA } from "countersign";',
      "const WORDS = ['xdp', 'edge', 'a'];",
      "const TABLE = { xdp: 0, edge: -1, a: -13 };",
      "const KNOWN = new Set(WORDS);",
      "const either = (a, b = 'edge') => a === b || WORDS.includes(a);",
      "function chosen({ type, effects: { redirects } }, [first, ...others]) { return redirects ? first : others.at(-1) ?? type }",
      "export function bpf_prog_load(prog, current) {",
      ...body,
      `  return ${this.verdict()};`,
      "}",
    ].join("\n");
  }

  private statement(): string {
    const before = { ...this.#known };
    switch (this.next(18)) {
      case 0:
      case 1: {
        const kind = this.pick(["text", "number", "flag", "any"] as const);
        const text = this[kind]();
        const name = `v${this.#names++}`;
        this.#known[kind] = [...this.#known[kind], name];
        return `  const ${name} = ${text};`;
      }
      case 2:
      case 3:
      case 4:
        return `  if (${this.condition()}) return ${this.verdict()};`;
      case 5:
        return `  if (${this.condition()}) { note(${this.text()}); } else if (${this.condition()}) return ${this.verdict()};`;
      case 6:
        return `  switch (${this.text()}) { case ${this.word()}: return ${this.verdict()}; case ${this.text()}: break; default: if (${this.condition()}) return ${this.verdict()}; }`;
      case 7:
        return `  for (const one of WORDS) { if (one === ${this.text()}) return ${this.verdict()}; if (${this.condition()}) break; }`;
      case 8:
        return `  try { if (${this.condition()}) throw ${this.text()}; ${this.any()}; } catch (e) { if (typeof e === "string") return ${this.verdict()}; }`;
      case 9: {
        const [name, other] = [`v${this.#names++}`, `v${this.#names++}`];
        const line = `  const { name: ${name}, effects: { redirects: ${other} = false } } = prog;`;
        this.#known.text = [...before.text, name];
        this.#known.flag = [...before.flag, other];
        return line;
      }
      case 10: {
        const name = `v${this.#names++}`;
        const line = `  let ${name} = ${this.number()}; if (${this.condition()}) ${name} += ${this.next(9)}; else ${name}++;`;
        this.#known.number = [...before.number, name];
        return line;
      }
      case 11:
        return `  for (const one of prog.helpers) { ${this.loopBody("one")} }`;
      case 12:
        return `  for (const one of prog.maps) { ${this.loopBody(this.pick(MAP_TEXTS))} }`;
      case 13: {
        const name = `v${this.#names++}`;
        const test = `${this.pick(MAP_TEXTS)} === ${this.text()}`;
        return `  const ${name} = prog.maps.find((one) => ${test}); if (${name}?.key_size > ${this.next(3)}) return deny(${name}.name);`;
      }
      case 14: {
        const name = `v${this.#names++}`;
        const line = `  const [${name} = ${this.word()}] = prog.helpers; if (${this.elementTest(name)}) return ${this.verdict()};`;
        this.#known.text = [...before.text, name];
        return line;
      }
      case 15: {
        const name = `v${this.#names++}`;
        const least = this.pick(["0", String(this.next(9000))]);
        return `  const ${name} = prog.maps.reduce((sum, { ${this.pick(NUMBERS_OF_MAP)} : size }) => ${this.pick(["sum + size", "sum + 1", "Math.max(sum, size)", "size * 3 + sum", "sum - size / 8"])}, 0); if (${name} > ${least}) return ${this.verdict()};`;
      }
      case 16:
        return `  for (const [name, is] of Object.entries(prog.effects)) { if (is && ${this.pick(["name.startsWith('reads')", "!WORDS.includes(name)", "name === 'redirects'"])}) return deny(name); }`;
      default:
        return `  if (${this.text()}.${this.pick(["startsWith", "endsWith", "includes"])}(${this.pick([this.word(), this.text()])})) return ${this.verdict()};`;
    }
  }

  private verdict(): string {
    switch (this.next(9)) {
      case 0:
      case 1:
        return "0";
      case 2:
        return this.pick([`deny(${this.text()})`, "deny(prog.maps.map(({ name }) => `<${name}>`).join())"]);
      case 3:
        return `deny(\`${this.pick(["no ", ""])}\${${this.any()}}\`, ${this.pick(["13", "1", this.number()])})`;
      case 4:
        return 'verify_program(prog, "platform")';
      case 5:
        return `(${this.condition()} ? ${this.verdict()} : ${this.verdict()})`;
      case 6:
        return `(TABLE[${this.text()}] ?? -1)`;
      case 7:
        return `verify_signature(prog.insns, prog.signature, ${this.pick(['"platform"', '"network"'])}, PKCS7)`;
      default:
        return `-${this.next(200)}`;
    }
  }

  private condition(): string {
    if (++this.#depth > 4) {
      this.#depth -= 1;
      return this.pick(FLAGS);
    }
    const text = this.conditionOf(this.next(34));
    this.#depth -= 1;
    return text;
  }

  private conditionOf(kind: number): string {
    switch (kind) {
      case 0:
      case 1:
        return this.flag();
      case 2:
        return `(${this.condition()} ${this.pick(["&&", "||"])} ${this.condition()})`;
      case 3:
        return `!${this.condition()}`;
      case 4:
      case 5:
        return `${this.text()} ${this.pick(["===", "!==", "==", "!="])} ${this.pick([this.word(), this.word(), this.text()])}`;
      case 6:
      case 7:
        return `${this.number()} ${this.pick(["<", "<=", ">", ">=", "===", "!=="])} ${this.pick([String(this.next(5000)), this.number(), this.number()])}`;
      case 8:
        return `${this.pick(TEXTS_OR_NULL)} ${this.pick(["===", "!==", "==", "!="])} ${this.pick(["null", this.word(), "undefined"])}`;
      case 9:
        return `either(${this.text()})`;
      case 10:
        return `KNOWN.has(${this.text()})`;
      case 11:
        return `prog.helpers.includes(${this.pick(["'bpf_redirect'", "'bpf_probe_read'", this.word()])})`;
      case 12:
        return `current.container?.labels?.${this.pick(["tier", "app"])} ${this.pick(["===", "!=="])} ${this.word()}`;
      case 13:
        return `"${this.pick(["tier", "app"])}" in (current.container?.labels ?? {})`;
      case 14:
        return `typeof ${this.any()} ${this.pick(["===", "!=="])} "${this.pick(["string", "number", "object", "undefined", "boolean"])}"`;
      case 15:
        return `verify_program(prog, "${this.pick(["platform", "network"])}") ${this.pick(["===", "!==", "<"])} ${this.pick(["0", "-ENODATA"])}`;
      case 16:
        return `[${this.text()}, ${this.word()}].${this.pick(["some", "every"])}((one) => one ${this.pick(["===", "!=="])} ${this.text()})`;
      case 17:
        return `Array.isArray(${this.any()})`;
      case 18:
        return `${this.any()} ${this.pick(["===", "!==", "=="])} ${this.pick(["null", "undefined", "true", "1", '"edge"'])}`;
      case 19:
        return `prog.helpers.${this.pick(["some", "every"])}((one) => ${this.elementTest("one")})`;
      case 20:
        return `prog.maps.${this.pick(["some", "every"])}((one) => ${this.elementTest(this.pick(MAP_TEXTS))})`;
      case 21:
        return `prog.maps.filter((one) => ${this.elementTest(this.pick(MAP_TEXTS))}).length ${this.pick(["<", ">=", "==="])} ${this.next(3)}`;
      case 22:
        return `(Array.isArray(${this.any()}) ? [] : prog.helpers).includes(${this.pick([this.text(), this.any()])})`;
      case 23: {
        const value = `map_lookup("program_budget", "${this.pick(KEYS)}")`;
        return `(Array.isArray(${value}) && ${value}.${this.pick(["some", "every"])}((one) => ${this.pick(["one", "one?.type"])} === ${this.pick([this.text(), "null", "1"])}))`;
      }
      case 24:
        return `String(${this.any()}) ${this.pick(["===", "!=="])} ${this.word()}`;
      case 25:
      case 26:
        return `${this.part(this.pick([...TEXTS, this.pick(FIRST)]))} ${this.pick(["===", "!=="])} ${this.pick([this.word(), this.text()])}`;
      case 27:
        return `(${this.number()} & ${this.pick(["1", "6", "0x80", "-1", "0xff00", "2 ** 31"])}) ${this.pick(["===", "!==", ">"])} ${this.pick(["0", "2", "128"])}`;
      case 28:
        return `${this.pick(NUMBERS)} * ${this.pick([...NUMBERS, "0.5", "1024"])} ${this.pick(["<", ">=", "==="])} ${this.pick(["0", "4096", "2.5", "1e15"])}`;
      case 29:
        return `${this.pick(["Number.isInteger", "Number.isSafeInteger"])}(${this.any()})`;
      case 30:
        return `${this.number()} ${this.pick(["<", ">=", "==="])} ${this.pick(["0.5", "-0", "1e21", "NaN", "999.5"])}`;
      case 31:
        return `Object.${this.pick(["keys(prog.effects)", "values(prog.effects)"])}.${this.pick(["some", "every", "includes"])}(${this.pick(["(one) => one === true", "(one) => one === 'redirects'", "'read_only'", "true"])})`;
      case 32:
        return `prog.${this.pick(["helpers.join()", "maps.map(({ name }) => name).join('/')"])} ${this.pick(["===", "!=="])} ${this.word()}`;
      default:
        return `Boolean(${this.any()})`;
    }
  }

  /** A text that is made of another one. */
  private part(text: string): string {
    const its = text.includes("?") || text.includes("[0]") || text.includes("at(0)") ? `(${text} ?? "a")` : text;
    const how = [
      "slice(1)",
      "slice(0, 3)",
      "slice(-2)",
      "trim()",
      "toLowerCase()",
      "substring(2)",
      "at(0)",
      "split('_')[0]",
    ];
    return this.pick([
      `${its}.${this.pick(how)}`,
      `${its}.slice(${its}.${this.pick(["lastIndexOf", "indexOf"])}(${this.pick(["'/'", "'_'", this.word()])}) + 1)`,
      `\`${this.pick(["", "x", "/"])}\${${its}.${this.pick(how)}}${this.pick(["", "/", "a"])}\``,
    ]);
  }

  /** A condition on a text of an element, which also may not be about it. */
  private elementTest(text: string): string {
    switch (this.next(5)) {
      case 0:
        return `${text} !== ${this.text()}`;
      case 1:
        return `(${text} === ${this.word()} ${this.pick(["&&", "||"])} ${this.condition()})`;
      case 2:
        return `WORDS.includes(${text})`;
      case 3:
        return `${text}.${this.pick(["startsWith", "includes"])}(${this.word()})`;
      default:
        return `${text} === ${this.text()}`;
    }
  }

  private loopBody(text: string): string {
    const test = this.elementTest(text);
    return this.pick([
      `if (${test}) return ${this.verdict()};`,
      `if (${test}) break; else if (${this.elementTest(text)}) return deny(${text});`,
      `if (${test}) continue; if (${this.elementTest(text)}) return ${this.verdict()};`,
      `const its = ${text}; let known = its; if (${test}) known += "x"; if (known === ${this.word()}) throw its;`,
    ]);
  }

  private flag(): string {
    return this.pick([...FLAGS, ...this.#known.flag]);
  }

  private text(): string {
    switch (this.next(9)) {
      case 0:
        return this.word();
      case 5:
        return this.part(this.pick(TEXTS));
      case 1:
        return `(${this.pick(TEXTS_OR_NULL)} ?? ${this.pick([this.word(), "prog.name"])})`;
      case 2:
        return `(current.container?.labels?.tier ?? ${this.word()})`;
      case 3:
        return `\`\${${this.pick(TEXTS)}}${this.pick(["", "x"])}\``;
      case 4:
        return "chosen(prog, [prog.name, ...WORDS])";
      default:
        return this.pick([...TEXTS, ...this.#known.text]);
    }
  }

  private number(): string {
    switch (this.next(8)) {
      case 0:
        return String(this.next(5000));
      case 1:
        return `(${this.pick(NUMBERS)} ${this.pick(["+", "-"])} ${this.pick([String(this.next(100)), this.pick(NUMBERS)])})`;
      case 2:
        return `(${this.pick(NUMBERS)} * ${this.next(4)})`;
      case 3:
        return `-${this.pick(NUMBERS)}`;
      default:
        return this.pick([...NUMBERS, ...this.#known.number]);
    }
  }

  private any(): string {
    switch (this.next(10)) {
      case 0:
        return this.number();
      case 1:
        return this.text();
      case 2:
        return this.flag();
      case 3:
      case 4:
        return `map_lookup("program_budget", ${this.pick([...KEYS.map((key) => `"${key}"`), this.pick(TEXTS)])})`;
      case 5:
        return `map_lookup("container_policy", "${this.pick(KEYS)}")?.${this.pick(["type", "uid", "tier"])}`;
      case 6:
        return this.pick([
          "prog.maps",
          "prog.object",
          "prog.signature",
          "current.container",
          "prog",
          "null",
          "undefined",
        ]);
      case 7:
        return `signer_of(prog, "platform")?.${this.pick(["subject", "key_id"])}`;
      case 8:
        return `hash("${this.pick(["sha256", "sha512"])}", prog.${this.pick(["insns", "raw_insns"])})`;
      default:
        return this.pick([...TEXTS_OR_NULL, ...this.#known.any]);
    }
  }

  private word(): string {
    return JSON.stringify(this.pick(WORDS));
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.next(list.length)]!;
  }
}
