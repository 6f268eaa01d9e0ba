/** An app in a process of its own: prints what came of one letter, as JSON. */
import { createC2mFetch, createTokenSource, sendLetter } from "../../client/index.ts";

const { C2M_BASE_URL = "" } = process.env;
const tokens = createTokenSource({ secretId: "c2m/api-token", baseUrl: C2M_BASE_URL });
const letter = { docSourceAll: 1, recipientAddressSource: 1 };
const sent = await sendLetter(createC2mFetch(tokens), letter).catch(({ code, message }) => ({
  code,
  message,
}));
console.log(JSON.stringify(sent));
tokens.close();
