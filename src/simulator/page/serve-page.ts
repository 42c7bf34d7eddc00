/** The page at `/`, where people look into the simulator and change what is in it. */
import type { Answer } from "../http.ts";
import { loadAssets, type PageAssets } from "./assets.ts";

/** Nothing from elsewhere, nothing inline: what users are called can do no harm here. */
const SECURITY = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

const FILES: Readonly<Record<string, { readonly type: string; readonly asset: keyof PageAssets }>> = {
  "/": { type: "text/html; charset=utf-8", asset: "html" },
  "/_simulator/page.css": { type: "text/css; charset=utf-8", asset: "css" },
  "/_simulator/page.js": { type: "text/javascript; charset=utf-8", asset: "script" },
};

let assets: Promise<PageAssets> | undefined;

/** Undefined: another request. The files are loaded when somebody first looks. */
export async function findPage(method: string, target: string): Promise<Answer | undefined> {
  const file = Object.hasOwn(FILES, target) && (method === "GET" || method === "HEAD") ? FILES[target] : undefined;
  if (!file) return undefined;
  assets ??= loadAssets();
  return { status: 200, headers: { ...SECURITY, "content-type": file.type }, html: (await assets)[file.asset] };
}
