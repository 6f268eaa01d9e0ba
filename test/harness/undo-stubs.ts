import { afterAll, vi } from "vitest";

// A worker keeps its process from file to file, and Vitest takes stubs of the environment off before the next test only:
// what the last test of a file has set would be there while the next file gets ready.
afterAll(() => {
  vi.unstubAllEnvs();
});
