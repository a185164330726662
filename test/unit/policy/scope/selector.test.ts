import { describe, expect, it } from "vitest";
import { CountersignError } from "../../../../src/error.js";
import { Selector } from "../../../../src/policy/scope/selector.js";

const matches = (text: string, labels: Record<string, string>) => Selector.parse(text).matches(labels);

function refusal(text: string): CountersignError {
  try {
    Selector.parse(text);
  } catch (error) {
    if (error instanceof CountersignError) return error;
    throw error;
  }
  throw new Error(`\`${text}\` was accepted`);
}

describe("a label selector matches", () => {
  it.each([
    ["", { x: "y" }],
    ["", {}],
    ["x=y", { x: "y" }],
    ["x==y", { x: "y" }],
    ["x=y,z=w", { x: "y", z: "w" }],
    ["x!=y,z!=w", { x: "z", z: "a" }],
    ["x!=y", {}],
    ["notin=in", { notin: "in" }],
    ["in in (in,notin)", { in: "notin" }],
    ["x", { x: "" }],
    ["!x", { y: "z" }],
    ["x>1", { x: "2" }],
    ["x<1", { x: "0" }],
    ["x<1", { x: "-7" }],
    ["x=", { x: "" }],
    ["x= ,z= ", { x: "", z: "" }],
    ["x in (a,,b)", { x: "" }],
    ["x in (a,)", { x: "" }],
    ["x in (,a)", { x: "" }],
    ["x in ()", { x: "" }],
    ["x notin ( )", { x: "a" }],
    ["x notin (a)", {}],
    ["\rx", { x: "1" }],
    ["foo  in\t (abc)", { foo: "abc" }],
    ["x notin\n (abc,def)", { x: "ghi" }],
    ["0.1.2.domain/99 notin (10.10.100.1, tick.tack.clock)", { "0.1.2.domain/99": "1" }],
    ["app.kubernetes.io/name in (so,what)", { "app.kubernetes.io/name": "what" }],
    ["tier in (edge, prod), !debug", { tier: "prod" }],
  ])("`%s` on %j", (text, labels) => {
    expect(matches(text, labels as Record<string, string>)).toBe(true);
  });
});

describe("a label selector does not match", () => {
  it.each([
    ["x=z", {}],
    ["x=y", { x: "z" }],
    ["x=y,z=w", { x: "w", z: "w" }],
    ["x!=y,z!=w", { x: "z", z: "w" }],
    ["x", { y: "z" }],
    ["!x", { x: "z" }],
    ["!x", { x: "" }],
    ["x>1", { x: "0" }],
    ["x>1", { x: "1" }],
    ["x<1", { x: "2" }],
    ["x>1", {}],
    ["x>1", { x: "v2" }],
    ["x>1", { x: "9223372036854775808" }],
    ["x in (a)", { x: "" }],
    ["tier in (edge, prod), !debug", { tier: "prod", debug: "" }],
    // what every object inherits is no label
    ["constructor", {}],
    ["toString", {}],
  ])("`%s` on %j", (text, labels) => {
    expect(matches(text, labels as Record<string, string>)).toBe(false);
  });
});

describe("a selector that Kubernetes refuses is refused with its column", () => {
  it.each([
    ["x=a||y=b", 3, "`a||y` is not a label's value"],
    ["x==a==b", 5, "`==` where `,` was expected"],
    ["!x=a", 3, "`=` where `,` was expected"],
    ["x<a", 3, "`<` compares with an integer"],
    ["x>", 3, "`>` compares with an integer"],
    ["x>99999999999999999999", 3, "`>` compares with an integer"],
    [",x,y", 1, "`,` where a label's key was expected"],
    ["x nott in (y)", 3, "`nott` where `=`, `==`, `!=`, `in`, `notin`, `>` or `<` was expected"],
    ["x constructor (y)", 3, "`constructor` where"],
    ["a in (xyz),", 12, "the end where a label's key was expected"],
    ["a in (xyz)b notin ()", 11, "`b` where `,` was expected"],
    ["a in (xyz abc)", 11, "`abc` where `,` or `)` was expected"],
    ["a notin(", 9, "the end where a label's value, `,` or `)` was expected"],
    ["a (", 3, "`(` where"],
    ["(", 1, "`(` where a label's key was expected"],
    ["a in b", 6, "`b` where `(` was expected"],
    ["a=(b)", 3, "`(` where a label's value was expected"],
    ["!", 2, "the end where a label's key was expected"],
    ["!!a", 2, "`!` where a label's key was expected"],
    ["-a", 1, "`-a` is not a label's key"],
    ["a/", 1, "`` is not a label's key"],
    ["/a", 1, "the prefix of `/a` is not a DNS name"],
    ["A.b/c", 1, "the prefix of `A.b/c` is not a DNS name"],
    ["a/b/c", 1, "`b/c` is not a label's key"],
    ["ключ", 1, "`ключ` is not a label's key"],
    ["a\u00a0=b", 2, "where"],
    ["x\0,y", 2, "contains a NUL"],
    [`${"a".repeat(64)}`, 1, "at most 63"],
    [`x=${"a".repeat(64)}`, 3, "at most 63"],
    [`${"a".repeat(254)}/x`, 1, "at most 253"],
    ["a,".repeat(10_000), 16_384, "is longer than"],
  ])("`%s`", (text, column, message) => {
    const error = refusal(text);
    expect(error.code).toBe("SELECTOR_INVALID");
    expect(error.place).toBe(`column ${column}`);
    expect(error.message).toContain(message);
    expect(error.remedy).toBeDefined();
  });
});
