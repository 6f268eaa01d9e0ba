/** Throws errors named as the runtime names them: `Runtime.ImportModuleError` and its kin. */
export function loadHandler(
  taskRoot: string,
  handlerName: string,
): Promise<(event: unknown, context: unknown) => unknown>;
