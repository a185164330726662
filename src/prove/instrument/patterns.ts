import type { Pattern } from "acorn";
import type { Writer } from "./writer.js";

/** Declarators such as `x=$p.get(…)` that bind the names of a pattern to the parts of `value`, an expression. */
export function declarators(pattern: Pattern, value: string, to: Writer): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [`${pattern.name}=${value}`];
    case "AssignmentPattern":
      return declarators(pattern.left, withDefault(pattern, value, to), to);
    case "ObjectPattern": {
      const whole = to.temporary();
      const parts = [`${whole}=${to.call("object", pattern, value)}`];
      for (const property of pattern.properties) {
        if (property.type === "RestElement") {
          parts.push(...declarators(property.argument, to.notDecided(property, "a rest of properties"), to));
          continue;
        }
        const { key, computed } = property;
        const name = computed ? to.expression(key) : nameOf(key);
        parts.push(...declarators(property.value as Pattern, to.call("get", property, whole, name), to));
      }
      return parts;
    }
    case "ArrayPattern": {
      const whole = to.temporary();
      const parts = [`${whole}=${to.call("indexed", pattern, value)}`];
      for (const [index, element] of pattern.elements.entries()) {
        if (element === null) continue;
        const isRest = element.type === "RestElement";
        const taken = to.call(isRest ? "rest" : "element", element, whole, String(index));
        parts.push(...declarators(isRest ? element.argument : element, taken, to));
      }
      return parts;
    }
    default:
      return [`${to.temporary()}=${to.notDecided(pattern)}`];
  }
}

function withDefault({ right }: Extract<Pattern, { type: "AssignmentPattern" }>, value: string, to: Writer): string {
  return to.call("defaulted", right, value, `()=>${group(to.expression(right))}`);
}

/** The name of a property that is not computed, as an expression. */
export function nameOf(key: { readonly type: string; readonly name?: string; readonly value?: unknown }): string {
  return JSON.stringify(key.type === "Identifier" ? key.name : String(key.value));
}

export function group(expression: string): string {
  return `(${expression})`;
}

/** Parameters of a function, and the declarations with which its body must begin. */
export function parameters(params: readonly Pattern[], to: Writer): { list: string; begin: string } {
  const begin: string[] = [];
  const list = params.map((param) => {
    if (param.type === "Identifier") return param.name;
    const given = to.temporary();
    if (param.type === "RestElement") {
      begin.push(...declarators(param.argument, given, to));
      return `...${given}`;
    }
    begin.push(...declarators(param, given, to));
    return given;
  });
  return { list: list.join(), begin: begin.length === 0 ? "" : `let ${begin.join()};` };
}
