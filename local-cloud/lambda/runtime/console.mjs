import { format } from "node:util";

const levels = { trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR" };

/**
 * Makes the console write what AWS's Node.js runtime writes: in the JSON format an object per call, in the text format
 * `time \t request id \t LEVEL \t message`. What goes to stdout directly stays as it is.
 */
export function patchConsole({ logFormat, requestId, write }) {
  for (const [method, level] of Object.entries(levels)) {
    console[method] = (...args) => {
      const timestamp = new Date().toISOString();
      if (logFormat === "JSON")
        write(`${JSON.stringify({ timestamp, level, requestId: requestId(), ...jsonMessage(args) })}\n`);
      // The platform takes lines apart; the runtime keeps a message of several lines together with carriage returns.
      else write(`${[timestamp, requestId(), level, format(...args)].join("\t").replaceAll("\n", "\r")}\n`);
    };
  }
}

function jsonMessage(args) {
  const [only] = args;
  if (args.length === 1 && only instanceof Error) {
    return {
      message: { errorType: only.name, errorMessage: only.message, stackTrace: String(only.stack).split("\n") },
    };
  }
  if (args.length === 1 && typeof only === "object" && only !== null) return { message: only };
  return { message: format(...args) };
}
