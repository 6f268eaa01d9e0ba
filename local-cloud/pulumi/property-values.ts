/** How Pulumi marks what is special among the properties that pass between program, engine and provider. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const archiveSignature = "0def7320c3a5731c473e5ecbe6d01bc7";

type Properties = Record<string, unknown>;

/** Whether a value is a secret on its way to the engine or to a provider. */
export function isSecret(value: unknown): value is { value: unknown } {
  return isMarked(value, secretSignature);
}

/**
 * The value with its secrets unwrapped, and an archive of texts as `{ hash, files: { path: text } }`. What comes
 * from the state has no more than its hash, what comes from the program has none.
 */
export function revealed(value: unknown): unknown {
  if (isSecret(value)) return revealed(value.value);
  if (isMarked(value, archiveSignature)) return archiveOf(value);
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, revealed(entry)]));
}

function archiveOf({ hash, assets }: { hash?: string; assets?: Record<string, Properties> }): Properties {
  const files = Object.entries(assets ?? {}).map(([path, { text }]) => [path, text]);
  return { ...(hash === undefined ? {} : { hash }), ...(assets && { files: Object.fromEntries(files) }) };
}

function isMarked(value: unknown, signature: string): value is Properties {
  return typeof value === "object" && value !== null && (value as Properties)[signatureKey] === signature;
}
