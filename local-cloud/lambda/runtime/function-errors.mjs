/** An error that the runtime itself raises, named as AWS names it. */
export function runtimeError(type, message) {
  const error = new Error(message);
  error.name = `Runtime.${type}`;
  return error;
}

/** What a thrown value looks like in Invoke's answer. */
export function errorBody(thrown) {
  if (!(thrown instanceof Error) && !Object.prototype.toString.call(thrown).includes("Error")) {
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  }
  const { name, message, stack } = thrown;
  return { errorType: name ?? "Error", errorMessage: message ?? "", trace: String(stack ?? "").split("\n") };
}
