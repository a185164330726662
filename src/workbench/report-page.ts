import { hash } from "node:crypto";
import { installed } from "../installed.js";
import type { ReportData } from "./report/report-data.js";

/**
 * A report as one HTML file. Its script is the only one that the page runs, and it loads nothing from the network: the
 * content security policy names the script's digest.
 */
export function reportPage(data: ReportData): string {
  const script = textOf("report.js");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline';
 script-src 'sha256-${hash("sha256", script, "base64")}'">
<title>Countersign report</title>
<style>${textOf("report.css")}</style>
</head>
<body>
<main id="report"></main>
<noscript>This report needs JavaScript.</noscript>
<script id="data" type="application/json">${jsonIn(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** JSON that a script element can hold: no tag or comment can begin in it. */
function jsonIn(data: ReportData): string {
  return JSON.stringify(data).replace(/</g, "\\u003c");
}

function textOf(file: string): string {
  return new TextDecoder().decode(installed(`bundle:${file}`).bytes);
}
