/**
 * A real browser for a file of tests: Chromium as the system has it (`apt-get install chromium`), or where `CHROMIUM` says.
 * Where there is none these tests are skipped, and a line at the end says so.
 */
import { accessSync, constants } from "node:fs";
import path from "node:path";
import process from "node:process";
import test, { type ExecutionContext } from "ava";
import { chromium, type Browser, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Nothing but the page: no sandbox (tests may run as root), no calls home. */
const FLAGS = (
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update " +
  "--disable-sync"
).split(" ");

/** What a window is like. */
export interface Window {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
}

/** Opens an address; whatever the page complains about fails the test. */
export type OpenPage = (url: string, window?: Window) => Promise<Page>;

export type BrowserTest = (title: string, body: (t: ExecutionContext, open: OpenPage) => Promise<void>) => void;

/** Call it once in a file, at the top. */
export function browserTests(): BrowserTest {
  const executablePath = findChromium();
  if (executablePath === undefined) return withoutBrowser();

  let browser: Browser | undefined;
  test.before("start a browser", async () => {
    browser = await chromium.launch({ executablePath, args: FLAGS });
  });
  test.after.always("end the browser", async () => {
    await browser?.close();
  });
  return (title, body) => {
    test(title, async (t) => {
      const complaints: string[] = [];
      await body(t, async (url, { width = 1280, height = 900, scheme = "light" } = {}) => {
        if (!browser) throw new Error("the browser did not start");
        const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
        t.teardown(() => page.close());
        page.on("pageerror", (error) => complaints.push(String(error)));
        page.on("console", (message) => {
          const isRefusal = message.text().startsWith("Failed to load resource");
          if (message.type() === "error" && !isRefusal) complaints.push(message.text());
        });
        await page.goto(url);
        return page;
      });
      t.deepEqual(complaints, []);
    });
  };
}

function findChromium(): string | undefined {
  const given = process.env["CHROMIUM"];
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  const candidates =
    given === undefined ? NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))) : [given];
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function withoutBrowser(): BrowserTest {
  let skipped = 0;
  process.once("exit", () => {
    process.stderr.write(`\n${String(skipped)} TESTS WERE SKIPPED: they need Chromium (apt-get install chromium).\n`);
  });
  return (title) => {
    skipped++;
    test.skip(title, () => {});
  };
}
