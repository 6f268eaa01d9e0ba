export function patchConsole(options: {
  logFormat: string | undefined;
  requestId: () => string | undefined;
  write: (line: string) => void;
}): void;
