/** A GET by Node's own client: a library for it would be two fifths of the bundle, for what few run. */
import http from "node:http";
import https from "node:https";

/** Resolves when the head of the answer is in; signal and `timeout`, for silence, hold for the body, too. */
export function httpGet(url: URL, options: https.RequestOptions): Promise<http.IncomingMessage> {
  const transport = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const request = transport.get(url, options, resolve);
    request.once("error", reject);
    request.once("timeout", () => request.destroy(new Error("no answer")));
  });
}
