import { Module, namedFunction } from "./module.mjs";

/** How many functions may pass a message on, one to another. */
const MAX_DEPTH = 4;

/**
 * The error messages of source files, each with its remedy. Messages are made in these ways:
 *
 * - `new CountersignError(code, message, detail)`.
 * - A function makes such an error, and its message or remedy is a parameter: each call of the function is a message.
 * - `new InvalidArgumentError(message)`: commander prints it after the name of the wrong option and its value.
 * - A row of a table, or a warning: an object with `message` and `remedy`.
 * - A rule of the configuration's schema: `{ error: "message; remedy" }`, or a text after the rule's value.
 *
 * A value that is known only at run time is shown as its expression, as in `${file}`. A message that consists only of
 * such a value is left out: its text comes from elsewhere, such as from a table.
 * @param {{ file: string, text: string }[]} sources
 */
export function messagesOf(sources) {
  const modules = sources.map(({ file, text }) => new Module(file, text));
  const byFile = new Map(modules.map((module) => [module.file, module]));
  for (const module of modules) module.others = byFile;
  const found = modules.flatMap((module) => module.nodes.flatMap((at) => sitesOf(module, at)));
  const texts = found.flatMap((site) => expanded(site, modules, 0)).map(printed);
  const seen = new Set();
  return texts
    .filter(({ file, line, message }) => {
      const key = `${file}:${line}:${message}`;
      return /[a-z]{2}/.test(message.replace(/\$\{[^}]*\}/g, "")) && !seen.has(key) && seen.add(key);
    })
    .sort((left, right) => (left.file < right.file ? -1 : left.file > right.file ? 1 : left.line - right.line));
}

/**
 * Where a node makes a message: `code`, `message` and `remedy` are expressions of the innermost function. `frames` has
 * for each function, from the innermost to the outermost, what its parameters are in the next.
 */
function sitesOf(module, { node, parents }) {
  const site = (code, message, remedy) => [{ module, node, parents, code, message, remedy, frames: [] }];
  if (node.type === "NewExpression" && node.callee.name === "CountersignError") {
    const [code, message, detail] = node.arguments;
    return site(code, message, member(detail, "remedy"));
  }
  if (node.type === "NewExpression" && node.callee.name === "InvalidArgumentError")
    return site(literal("USAGE"), node.arguments[0], literal("see `countersign COMMAND --help`"));
  if (node.type === "ObjectExpression") {
    const [message, remedy] = [member(node, "message"), member(node, "remedy")];
    if (message && remedy) return site(member(node, "code"), message, remedy);
    const rule = module.file.startsWith("src/config/") ? member(node, "error") : null;
    if (rule) return site(literal("CONFIG_INVALID"), rule, null);
  }
  if (node.type === "CallExpression" && module.file.startsWith("src/config/")) {
    const text = RULES.has(node.callee.property?.name) ? node.arguments[1] : null;
    if (text && /Literal$/.test(text.type)) return site(literal("CONFIG_INVALID"), text, null);
  }
  return [];
}

/** A text that is not in the source: what another part of the program adds to the message. */
function literal(value) {
  return { type: "Literal", value };
}

/** Rules of a schema that take a message as their second argument. */
const RULES = new Set(["regex", "min", "max", "refine", "check"]);

/** The value of a property of an object in the source, or null. */
function member(object, name) {
  if (object?.type === "ConditionalExpression")
    return member(object.consequent, name) ?? member(object.alternate, name);
  return object?.properties?.find(({ key }) => key?.name === name)?.value ?? null;
}

/** A site, or the calls of its function if they give it words. */
function expanded(site, modules, depth) {
  const maker = namedFunction(site.parents);
  if (maker === null || depth === MAX_DEPTH) return [site];
  const needed = new Set();
  for (const part of [site.message, site.remedy]) textOf(part, site, needed);
  if (needed.size === 0) return [site];
  const params = new Map(maker.node.params.flatMap((param, index) => bindings(param, index)));
  if (![...needed].some((name) => params.has(name))) return [site];
  const calls = modules.flatMap((module) => callsOf(maker, site.module, module));
  const called = calls.map(({ module, node, parents }) => ({
    ...site,
    module,
    node,
    parents,
    frames: [...site.frames, { module: site.module, values: valuesOf(params, node.arguments) }],
  }));
  const words = called.some((one) => [...needed].some((name) => isPhrase(one.frames.at(-1).values.get(name))));
  return words ? called.flatMap((one) => expanded(one, modules, depth + 1)) : [site];
}

/** The names of a parameter, each with a function that takes its value from the arguments of a call. */
function bindings(param, index) {
  if (param.type === "Identifier") return [[param.name, (given) => given[index]]];
  if (param.type === "AssignmentPattern")
    return bindings(param.left, index).map(([name, of]) => [name, (given) => of(given) ?? defaultOf(param)]);
  if (param.type !== "ObjectPattern") return [];
  return param.properties
    .filter(({ type }) => type === "Property")
    .map(({ key, value }) => [
      value.left?.name ?? value.name,
      (given) => member(given[index], key.name) ?? value.right,
    ]);
}

/** The default of a parameter: names in it are those of the function's file, not of its caller's. */
function defaultOf({ right }) {
  DEFAULTS.add(right);
  return right;
}

const DEFAULTS = new WeakSet();

function valuesOf(params, given) {
  return new Map([...params].map(([name, of]) => [name, of(given)]));
}

/** The calls in a module of a function that is declared in `home`. */
function callsOf({ node: declared, name, isMethod }, home, module) {
  return module.nodes
    .filter(({ node, parents }) => {
      if (node.type !== "CallExpression" || parents.includes(declared)) return false;
      const { callee } = node;
      if (!isMethod) return callee.name === name && (module === home || module.imports(home.file, name));
      const called = callee.property?.name;
      if (called !== name) return false;
      return callee.object.type === "ThisExpression" ? module === home : module !== home && module.imports(home.file);
    })
    .map((at) => ({ ...at, module }));
}

/** Whether an expression has words, and is not only a name or a number that is inserted. */
function isPhrase(node) {
  if (node === undefined || node === null) return false;
  if (node.type === "Literal") return typeof node.value === "string" && /[a-z] [a-z`]/.test(node.value);
  if (node.type === "TemplateLiteral") return node.quasis.some(({ value }) => /[a-z] |` [a-z]/.test(value.cooked));
  if (node.type === "ConditionalExpression") return isPhrase(node.consequent) || isPhrase(node.alternate);
  return false;
}

function printed(site) {
  const { module, node } = site;
  const text = (part) => textOf(part, site, new Set()) || null;
  const [file, line, code] = [module.file, module.lineOf(node), text(site.code)];
  const message = text(site.message) ?? "";
  if (site.remedy !== null || !file.startsWith("src/config/"))
    return { file, line, code, message, remedy: text(site.remedy) };
  // issue.ts separates the remedy from the rule's text
  const [flaw, remedy = null] = message.split(/; (.*)/s);
  return { file, line, code, message: flaw, remedy };
}

/** An expression as text. Adds to `needed` the names whose value the functions of `frames` do not say. */
function textOf(part, { frames, module, parents }, needed) {
  const written = (node, depth) => {
    if (node === null || node === undefined) return "";
    const home = frames[depth]?.module ?? module;
    const inner = (other) => written(other, depth);
    switch (node.type) {
      case "UnaryExpression":
        return node.operator === "void" ? "" : `\${${home.textOf(node)}}`;
      case "Literal":
        return String(node.value);
      case "TemplateLiteral":
        return node.quasis.map(({ value }, at) => value.cooked + inner(node.expressions[at])).join("");
      case "BinaryExpression":
        return node.operator === "+" ? inner(node.left) + inner(node.right) : `\${${home.textOf(node)}}`;
      case "ConditionalExpression":
        return `{${inner(node.consequent)} | ${inner(node.alternate)}}`;
      case "LogicalExpression":
        return node.operator === "??" ? `{${inner(node.left)} | ${inner(node.right)}}` : `\${${home.textOf(node)}}`;
      case "Identifier": {
        const values = frames[depth]?.values;
        if (values?.has(node.name)) {
          const value = values.get(node.name);
          return written(value, DEFAULTS.has(value) ? depth : depth + 1);
        }
        const constant = home.constant(node.name, depth === frames.length ? parents : []);
        if (constant && /Literal$|^Binary/.test(constant.type)) return inner(constant);
        if (values === undefined) needed.add(node.name);
        return `\${${node.name}}`;
      }
      default:
        return `\${${home.textOf(node)}}`;
    }
  };
  return written(part, 0);
}
