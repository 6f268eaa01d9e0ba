export function runtimeError(type: string, message: string): Error;
export function errorBody(thrown: unknown): { errorType: string; errorMessage: string; trace: string[] };
