import type { Config } from "../../config/config.js";
import { type RequestWithMaps, TimedEngine } from "../../engine/timed-engine.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import { ProgramFolder } from "../../workbench/replay/program-folder.js";
import { RequestReader } from "../../workbench/requests/request-reader.js";
import { requestLines } from "../input/request-lines.js";

/**
 * The requests in a file, one JSON object in each line. The bytes of recorded ones are in `log.programs` of the
 * configuration. Throws what reading the file throws, the error of the first line that is no request, and USAGE for a
 * file without one.
 */
export async function requestsIn(
  file: string,
  hook: HookName | undefined,
  config: Config,
): Promise<readonly RequestWithMaps[]> {
  const folder = config.log?.programs?.folder;
  const programs = folder === undefined ? null : new ProgramFolder(folder);
  const engine = await TimedEngine.open({ ...config, attachments: [], log: null });
  try {
    const reader = new RequestReader(file, { hook, programs }, engine);
    const requests: RequestWithMaps[] = [];
    for await (const lines of requestLines(file))
      for (const { line, text } of lines) {
        const request = reader.question(line, text);
        if (request instanceof CountersignError) throw request;
        requests.push(request);
      }
    if (requests.length > 0) return requests;
  } finally {
    engine.close();
  }
  throw new CountersignError("USAGE", "has no request", {
    place: file,
    remedy: 'write one JSON object in each line, such as {"program": {"type": "xdp"}}',
  });
}
