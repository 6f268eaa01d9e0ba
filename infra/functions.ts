/** The handler's module of each function, from the project's root. */
export const functions = {
  "rotate-token": "lambdas/rotate-token/handler.ts",
  "reconcile-tokens": "lambdas/reconcile-tokens/handler.ts",
} as const;

/** A function of this project. */
export type FunctionName = keyof typeof functions;
