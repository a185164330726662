// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
/**
 * Bodies of hooks drawn by chance, for comparing how the explorer and the engine execute JavaScript: the order of
 * evaluation, variables and closures, loops with labels, exceptions and `finally`, arrays that callbacks change,
 * patterns with default values. What they do is noted in a text `t`, which is the reason of the denial.
 */
type Next = (below: number) => number;

type Kind = "num" | "text" | "bool" | "list" | "object" | "call";

const FLAGS = ["prog.effects.redirects", "prog.effects.decides", "prog.gpl_compatible"];
const KEYS = ["a", "b", "constructor", "length", "__proto__", "then", "0"];
/** The deepest expression. */
const DEPTH = 4;

/** A body of a hook, which returns a denial. */
export function randomBody(next: Next): string {
  return new Author(next).body();
}

class Author {
  #depth = 0;
  #names = 0;
  #labels: string[] = [];
  #inFunction = 0;
  #known: Readonly<Record<Kind, readonly string[]>> = {
    ...{ num: ["n"], text: ["t"], bool: [], list: ["l"], object: ["o"], call: ["f"] },
  };

  constructor(private readonly next: Next) {}

  body(): string {
    const begin =
      "let t = '', n = 1; const l = [1, 2, 3], o = { a: 1, b: 2 }; function f(x, y = x) { n += 1; return y }";
    const end = "t += `|${n}|${l.join()}|${JSON.stringify(o)}`; return deny(t, 7)";
    return `${begin}\n${this.#block(2 + this.next(5))}\n${end}`;
  }

  #block(count: number): string {
    const before = this.#known;
    const text = Array.from({ length: count }, () => this.#statement()).join("\n");
    this.#known = before;
    return text;
  }

  #fresh(kind: Kind, isSeen = true): string {
    const name = `${kind[0]}${this.#names++}`;
    if (isSeen) this.#known = { ...this.#known, [kind]: [...this.#known[kind], name] };
    return name;
  }

  #statement(): string {
    if (this.#depth > 2) return this.#note();
    this.#depth += 1;
    const text = this.#statementOf(this.next(22));
    this.#depth -= 1;
    return text;
  }

  #note(): string {
    return `t += ${this.#pick([() => `\`${"${"}${this.#any()}}\``, () => this.#text(), () => `typeof ${this.#any()}`])()};`;
  }

  #statementOf(kind: number): string {
    switch (kind) {
      case 0:
      case 1:
        return this.#note();
      case 2: {
        const value = this.#num();
        return `${this.#pick(["let", "var"])} ${this.#fresh("num")} = ${value};`;
      }
      case 3: {
        const value = this.#list();
        return `const ${this.#fresh("list")} = ${value};`;
      }
      case 4: {
        const value = this.#object();
        return `const ${this.#fresh("object")} = ${value};`;
      }
      case 5:
        return `if (${this.#bool()}) { ${this.#block(1)} } else { ${this.#block(1)} }`;
      case 6:
        return `n ${this.#pick(["+=", "-=", "*=", "??=", "||=", "&&=", "="])} ${this.#num()};`;
      case 7:
        return `${this.#pick(this.#known.list)}[${this.#pick(["0", "1", "n % 3", "2"])}] = ${this.#num()};`;
      case 8:
        return `${this.#pick(this.#known.object)}.${this.#pick(["a", "b", "c"])} = ${this.#num()};`;
      case 9: {
        const label = `x${this.#names++}`;
        const over = this.#list();
        const before = this.#known;
        const element = this.#fresh("num");
        this.#labels.push(label);
        const text = `${label}: for (${this.#pick(["const", "let"])} ${element} of ${over}) { ${this.#block(1)} ${this.#jump()} ${this.#block(1)} }`;
        this.#labels.pop();
        this.#known = before;
        return text;
      }
      case 10: {
        const closures = this.#fresh("call", false);
        const at = this.#fresh("num", false);
        return `const ${closures} = []; for (let ${at} = 0; ${at} < 3; ${at}++) { ${closures}.push(() => ${at} ${this.#pick(["", "+ n", "* 2"])}); ${this.#pick(["", `${at} += 1;`, "n++;"])} } t += ${closures}.map((g) => g()).join();`;
      }
      case 11: {
        const end = this.#pick(["", `finally { ${this.#block(1)} }`, `finally { ${this.#note()} }`]);
        const error = this.#fresh("num", false);
        const handler =
          this.next(4) === 0 && end !== "" ? "" : `catch (${error}) { t += typeof ${error}; ${this.#block(1)} }`;
        return `try { ${this.#block(1)} ${this.#leave()} } ${handler === "" && end === "" ? "finally {}" : `${handler} ${end}`}`;
      }
      case 12: {
        const value = this.#pick([() => this.#num(), () => this.#text(), () => this.#bool()])();
        const cases = Array.from(
          { length: 3 },
          () => `case ${this.#any()}: ${this.#block(1)} ${this.#pick(["break;", ""])}`,
        );
        cases.splice(this.next(3), 0, `default: ${this.#block(1)}`);
        return `switch (${value}) { ${cases.join(" ")} }`;
      }
      case 13: {
        const list = this.#list();
        const [a, b] = [this.#fresh("num"), this.#fresh("num")];
        const rest = this.#fresh("list");
        return `const [${a} = ${this.#num()}, ${b} = ${a}, ...${rest}] = ${list};`;
      }
      case 14: {
        const object = this.#object();
        const [a, b] = [this.#fresh("num"), this.#fresh("num")];
        return `const { a: ${a} = ${this.#num()}, ["${this.#pick(["b", "c"])}"]: ${b} = ${a} } = ${object};`;
      }
      case 15: {
        const [x, y] = [this.#fresh("num", false), this.#fresh("num", false)];
        const before = this.#known;
        this.#known = { ...before, num: [...before.num, x, y] };
        this.#inFunction += 1;
        const labels = this.#labels;
        this.#labels = [];
        const text = `(${x}, ${y} = ${this.#pick([x, "n", "(n += 1)", "f(2)"])}) => { ${this.#block(1)} return ${this.#num()} }`;
        this.#labels = labels;
        this.#inFunction -= 1;
        this.#known = before;
        return `const ${this.#fresh("call")} = ${text};`;
      }
      case 16:
        return `${this.#pick(this.#known.list)}.${this.#pick([`push(${this.#num()})`, "pop()", "shift()", `unshift(${this.#num()})`])};`;
      case 17: {
        const counter = this.#fresh("num", false);
        return `let ${counter} = 0; while (${counter}++ < ${1 + this.next(3)}) { ${this.#block(1)} ${this.#pick(["", "break;", "continue;"])} }`;
      }
      case 18:
        return `for (const k in ${this.#object()}) t += k;`;
      case 19:
        return `${this.#list()}.forEach(${this.#callback()});`;
      case 20: {
        const label = `x${this.#names++}`;
        return `${label}: { ${this.#block(1)} if (${this.#bool()}) break ${label}; ${this.#block(1)} }`;
      }
      default:
        return `do { ${this.#block(1)} } while (n++ < ${this.next(4)} && n > -50);`;
    }
  }

  /** A statement that leaves a loop, if there is one around. */
  #jump(): string {
    const label = this.#labels.at(-1)!;
    return `if (${this.#bool()}) ${this.#pick(["break;", "continue;", `break ${label};`, `continue ${this.#pick(this.#labels)};`])}`;
  }

  #leave(): string {
    const all = ["", `if (${this.#bool()}) throw ${this.#any()};`, "null.x;", `throw ${this.#num()};`];
    if (this.#inFunction > 0) all.push(`return ${this.#num()};`);
    else all.push(`if (${this.#bool()}) return deny(t, 8);`);
    if (this.#labels.length > 0) all.push(this.#jump());
    return this.#pick(all);
  }

  #deeper(simple: () => string, others: readonly (() => string)[]): string {
    if (this.#depth > DEPTH) return simple();
    this.#depth += 1;
    const text = this.#pick(others)();
    this.#depth -= 1;
    return text;
  }

  #num(): string {
    const simple = () => this.#pick([String(this.next(9) - 3), ...this.#known.num]);
    return this.#deeper(simple, [
      simple,
      simple,
      () => `${this.#listName()}.length`,
      () => `(${this.#list()}[${this.#pick(["0", "1", "5"])}] ?? ${this.#num()})`,
      () => `${this.#pick(this.#known.object)}${this.#pick([".a", "?.b", ".c?.d", "['a']"])}`,
      () =>
        `${this.#pick(this.#known.call)}(${this.#pick([this.#num(), `${this.#num()}, ${this.#num()}`, `...${this.#list()}`])})`,
      () => `(n ${this.#pick(["+=", "="])} ${this.#num()})`,
      () => this.#pick(["n++", "++n", "n--"]),
      () => `(${this.#bool()} ? ${this.#num()} : ${this.#num()})`,
      () => `${this.#listName()}.indexOf(${this.#num()})`,
      () => `${this.#list()}.findIndex(${this.#callback()})`,
      () =>
        `${this.#list()}.reduce((sum, x, i) => sum + ${this.#pick(["x", "i", "1", "(n += 1)"])}${this.#pick(["", ", 0"])})`,
      () => `(${this.#num()} ${this.#pick(["+", "-", "*", "%", "&", "|"])} ${this.#num()})`,
      () => `${this.#listName()}.push(${this.#num()})`,
      () => `Math.${this.#pick(["max", "min"])}(${this.#num()}, ${this.#num()})`,
      () => `(${this.#num()}, ${this.#num()})`,
      () => `${this.#list()}.find(${this.#callback()})`,
      () => "prog.insn_cnt",
      () => `(${this.#num()} ${this.#pick(["??", "||", "&&"])} ${this.#num()})`,
      () => `((x, { a = x, ...y } = {}) => a)(${this.#num()})`.replace(", ...y", ""),
    ]);
  }

  #text(): string {
    const simple = () => this.#pick(["'a'", "'b'", "''", "prog.name"]);
    return this.#deeper(simple, [
      simple,
      () => `\`${"${"}${this.#num()}}-\``,
      () => `${this.#list()}.join(${this.#pick(["", "'/'", "''"])})`,
      () => `typeof ${this.#any()}`,
      () => `String(${this.#any()})`,
      () => `JSON.stringify(${this.#pick([this.#list(), this.#object(), this.#num()])})`,
      () => `Object.keys(${this.#object()}).join()`,
      () => `(${this.#text()} + ${this.#pick([this.#text(), this.#num(), this.#bool()])})`,
      () => `(current.container?.labels?.${this.#pick(KEYS.slice(0, 4))} ?? 'none')`,
    ]);
  }

  #bool(): string {
    const simple = () => this.#pick([...FLAGS, "prog.name === 'a'"]);
    return this.#deeper(simple, [
      simple,
      () => `${this.#num()} ${this.#pick(["<", ">=", "===", "!==", "==", "!="])} ${this.#num()}`,
      () => `${this.#listName()}.includes(${this.#num()})`,
      () => `${this.#list()}.${this.#pick(["some", "every"])}(${this.#callback()})`,
      () => `!${this.#bool()}`,
      () => `(${this.#bool()} ${this.#pick(["&&", "||"])} ${this.#bool()})`,
      () => `${this.#text()} === ${this.#text()}`,
      () => `"${this.#pick(KEYS.slice(0, 2))}" in ${this.#object()}`,
      () => `Object.hasOwn(${this.#object()}, "${this.#pick(KEYS)}")`,
      () => `Array.isArray(${this.#any()})`,
      () =>
        `prog.helpers.${this.#pick(["some", "every"])}((h) => h ${this.#pick(["===", "!=="])} ${this.#pick(["'a'", "prog.name"])})`,
    ]);
  }

  #list(): string {
    return this.#deeper(
      () => this.#listName(),
      [
        () => this.#listName(),
        () => `[${this.#num()}, ${this.#num()}]`,
        () => `[...${this.#list()}, ${this.#num()}]`,
        () => `${this.#list()}.map(${this.#callback()})`,
        () => `${this.#list()}.filter(${this.#callback()})`,
        () => `${this.#list()}.slice(${this.#pick(["", "1", "-1", "0, 2"])})`,
        () => `${this.#list()}.concat(${this.#list()}, ${this.#num()})`,
        () => `Object.values(${this.#object()})`,
        () => "[]",
      ],
    );
  }

  #listName(): string {
    return this.#pick(this.#known.list);
  }

  #object(): string {
    return this.#deeper(
      () => this.#pick(this.#known.object),
      [
        () => this.#pick(this.#known.object),
        () =>
          `({ a: ${this.#num()}, "${this.#pick(KEYS)}": ${this.#num()} })`.replace('"__proto__":', '["__proto__"]:'),
        () => `({ ...${this.#object()}, b: ${this.#num()} })`,
        () => `({ m(x = n) { return x }, a: ${this.#num()} })`,
      ],
    );
  }

  /** A function of an element, and often of its index and the array. */
  #callback(): string {
    const x = this.#fresh("num", false);
    const before = this.#known;
    this.#known = { ...before, num: [...before.num, x] };
    const value = this.#pick([() => this.#num(), () => this.#bool(), () => `(n += 1, ${x})`])();
    this.#known = before;
    return this.#pick([
      `(${x}) => ${value}`,
      `(${x}) => ${value}`,
      `(${x}, i) => (i > 0 ? ${value} : i)`,
      `(${x}, i, all) => { ${this.#pick([`all[i] = ${value};`, "n += all.length;", "if (i === 0) all.push(9);", "all.pop();", `t += all.indexOf(${x});`])} return ${value} }`,
      `function (${x}) { return ${value} }`,
    ]);
  }

  #any(): string {
    return this.#pick([
      () => this.#num(),
      () => this.#num(),
      () => this.#text(),
      () => this.#bool(),
      () => "null",
      () => "undefined",
      () => "map_lookup('program_budget', 'x')",
      () => "NaN",
      () => "-0",
    ])();
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.next(list.length)]!;
  }
}
