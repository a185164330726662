import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { otlpAddress, otlpHeaders } from "../../../../src/cli/export/otlp-address.js";
import { rejection } from "../../../support/rejection.js";

describe("the address of a collector", () => {
  it.each([
    ["otlp=http://localhost:4318", "http://localhost:4318/v1/logs"],
    ["otlp=https://otel.example/", "https://otel.example/v1/logs"],
    ["otlp=https://otel.example/tenant/logs", "https://otel.example/tenant/logs"],
  ])("of %s is %s", (text, url) => {
    expect(otlpAddress(text).href).toBe(url);
  });

  it.each(["", "otlp=", "http://localhost:4318", "otlp=localhost", "otlp=localhost:4318", "otlp=file:///etc/passwd"])(
    "is not %j",
    (text) => {
      expect(() => otlpAddress(text)).toThrow(InvalidArgumentError);
    },
  );
});

describe("headers for a collector", () => {
  it("are those of the environment, of logs before those of all signals", () => {
    expect(otlpHeaders({})).toEqual({});
    const all = { OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer%20a%2Cb, x-tenant = 7," };
    expect(otlpHeaders(all)).toEqual({ authorization: "Bearer a,b", "x-tenant": "7" });
    expect(otlpHeaders({ ...all, OTEL_EXPORTER_OTLP_LOGS_HEADERS: "a=b==" })).toEqual({ a: "b==" });
  });

  it.each(["novalue", "=x", "a b=c", "a=%zz", "a=x%0d%0aevil: y"])("are not %j", (text) => {
    const error = rejection(() => otlpHeaders({ OTEL_EXPORTER_OTLP_HEADERS: text }));
    expect(error).toMatchObject({ code: "USAGE" });
    expect(String(error)).not.toContain(text);
  });
});
