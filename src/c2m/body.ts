import type { IncomingMessage } from "node:http";
import type { BodyFault } from "./http.ts";

/** An answer of C2M has about 2 KB. More than 1 MiB, sent or unpacked, is not C2M, and not worth a Lambda's memory. */
export const maxBodyBytes = 1024 * 1024;

/** The text of an answer, and why it is not whole where it is not. */
export interface Body {
  body: string;
  bodyFault: BodyFault | undefined;
}

/**
 * Reads and decodes the body of an answer. Never rejects.
 *
 * @param timedOut whether it was we who broke the connection, for lack of time
 */
export async function readBody(response: IncomingMessage, timedOut: () => boolean): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  let fault: BodyFault | undefined;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBodyBytes) {
        fault = "too_large";
        break; // which also closes the connection
      }
      chunks.push(chunk);
    }
  } catch {
    // Fewer bytes than Content-Length, or no last chunk.
    fault = timedOut() ? "timed_out" : "cut_off";
  }
  const encodings = (response.headers["content-encoding"] ?? "").toLowerCase().split(",");
  return decode(Buffer.concat(chunks), encodings.map((name) => name.trim()).filter(isCoding), fault);
}

function isCoding(name: string): boolean {
  return name !== "" && name !== "identity";
}

function decode(bytes: Buffer, encodings: string[], fault: BodyFault | undefined): Body {
  if (encodings.length === 0) return { body: new TextDecoder().decode(bytes), bodyFault: fault };
  if (fault) return { body: "", bodyFault: fault };
  const unpack = decoderOf(encodings, bytes);
  if (!unpack) return { body: "", bodyFault: "undecodable" };
  try {
    return { body: new TextDecoder().decode(unpack(bytes, { maxOutputLength: maxBodyBytes })), bodyFault: undefined };
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    return { body: "", bodyFault: tooLarge ? "too_large" : "undecodable" };
  }
}

type Unpack = (bytes: Buffer, options: { maxOutputLength: number }) => Buffer;

/** One coding only: nobody sends an answer that is packed twice. */
function decoderOf(encodings: string[], bytes: Buffer): Unpack | undefined {
  const zlib = process.getBuiltinModule("node:zlib");
  if (encodings.length > 1) return undefined;
  switch (encodings[0]) {
    case "gzip":
    case "x-gzip":
      return zlib.gunzipSync;
    case "br":
      return zlib.brotliDecompressSync;
    case "deflate":
      // RFC 9110 §8.4.1.2 means the zlib format; some send raw deflate, which never starts with zlib's method nibble.
      return ((bytes[0] ?? 0) & 0x0f) === 8 ? zlib.inflateSync : zlib.inflateRawSync;
    default:
      return undefined;
  }
}
