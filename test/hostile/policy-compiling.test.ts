import { describe, expect, it } from "vitest";
import { blob, Guest, link, rejection } from "../support/guest.js";
import { compiling } from "./policies/compiling.js";

describe("a policy that is expensive to compile", () => {
  it.each(compiling.filter(({ code }) => code !== null))(
    "is rejected: $name",
    { tags: ["deep"] },
    ({ files, code }) => {
      const error = rejection(files);
      expect(error?.code, error?.message).toBe(code);
      expect(error?.place).toMatch(/^(policy|f\d+)\.js/);
      expect(error?.remedy).toBeTruthy();
      // the compiler is usable again
      expect(new Guest().ask(link(blob("return -7;"))).verdict).toBe(-7);
    },
  );

  it.each(compiling.filter(({ code }) => code === null))(
    "decides where it is within the budget: $name",
    ({ files }) => {
      expect(new Guest().ask(link(files))).toMatchObject({ verdict: 0, fault: null });
    },
  );
});
