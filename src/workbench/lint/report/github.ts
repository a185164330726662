import type { Finding } from "../model/finding.js";

/**
 * A finding as a workflow command of GitHub Actions, which GitHub shows beside the line. Escapes what would end a
 * property or the command (actions/toolkit, packages/core/src/command.ts).
 */
export function githubAnnotation({ code, severity, message, file, line, column, remedy }: Finding): string {
  const places =
    file === null
      ? []
      : [
          ["file", file],
          ...(line === null
            ? []
            : [
                ["line", line],
                ["col", column ?? 1],
              ]),
        ];
  const properties = [...places, ["title", code]].map(([name, value]) => `${name}=${property(String(value))}`);
  return `::${severity} ${properties.join(",")}::${data(remedy === null ? message : `${message}; ${remedy}`)}`;
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
