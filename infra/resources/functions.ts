/** The handler's module of each function, from the project's root. */
export const functions = {
  rotator: "lambdas/rotator/handler.ts",
  reconciler: "lambdas/reconciler/handler.ts",
} as const;

/** A function of this project. */
export type FunctionName = keyof typeof functions;
