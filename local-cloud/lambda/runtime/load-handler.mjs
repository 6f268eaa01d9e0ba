import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runtimeError } from "./function-errors.mjs";

/** Loads `file.exportName` from the unpacked archive, as AWS's Node.js 24 runtime does, with its errors. */
export async function loadHandler(taskRoot, handlerName) {
  const [, file, exportName] = /^(.+)\.([^.]+)$/.exec(handlerName) ?? [];
  if (!file) throw runtimeError("MalformedHandlerName", "Bad handler");
  const module = await loadModule(taskRoot, file);
  const handler = module[exportName] ?? module.default?.[exportName];
  if (handler === undefined) throw runtimeError("HandlerNotFound", `${handlerName} is undefined or not exported`);
  if (typeof handler !== "function") throw runtimeError("HandlerNotFound", `${handlerName} is not a function`);
  // Node.js 24 on Lambda goes by the number of parameters, and refuses what used to be a callback handler.
  if (handler.length >= 3) {
    throw runtimeError(
      "CallbackHandlerDeprecated",
      "Callback-based function handlers are not supported from Node.js 24 on.",
    );
  }
  return handler;
}

async function loadModule(taskRoot, file) {
  const path = ["js", "mjs", "cjs"].map((extension) => join(taskRoot, `${file}.${extension}`)).find(existsSync);
  try {
    if (!path) throw runtimeError("ImportModuleError", `Error: Cannot find module '${file}'`);
    if (path.endsWith(".mjs") || (path.endsWith(".js") && isModulePackage(taskRoot))) {
      return await import(pathToFileURL(path).href);
    }
    return createRequire(path)(path);
  } catch (error) {
    if (error instanceof SyntaxError) throw runtimeError("UserCodeSyntaxError", String(error));
    if (["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code)) {
      throw runtimeError("ImportModuleError", String(error));
    }
    throw error;
  }
}

function isModulePackage(taskRoot) {
  const path = join(taskRoot, "package.json");
  return existsSync(path) && JSON.parse(readFileSync(path, "utf8")).type === "module";
}
