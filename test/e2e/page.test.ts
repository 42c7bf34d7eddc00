/** The simulator's page, in a real browser: what a person sees and can do there, with mouse and with keys. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserTests } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { startTestSimulator } from "../support/start-simulator.ts";

const browserTest = browserTests();

const KIM = { email: "kim@example.com", user_id: "kim", name: "Kim Lee" };
const KIM_ID = "auth0|kim";
const KIM_PATH = "/api/v2/users/auth0%7Ckim";

/** Waits until the text is somewhere in the element. */
function seen(page: Page, selector: string, text: string): Promise<void> {
  return page.locator(selector, { hasText: text }).first().waitFor();
}

browserTest("shows who is there, and finds them by what one types", async (t, open) => {
  const users = [KIM, { email: "max@example.com" }, { email: "maxine@example.com", blocked: true }];
  const tenant = await startTestSimulator(t, { users });
  const page = await open(tenant.url);
  await seen(page, "#user-count", "3 users.");

  await page.fill("#search", "MAX");

  await seen(page, "#user-count", "2 users with “MAX”.");
  t.deepEqual(await page.locator("#user-list strong").allTextContents(), ["maxine@example.com", "max@example.com"]);
  t.deepEqual(await page.locator("#user-list .badge.bad").allTextContents(), ["blocked"]);
});

browserTest("a user is edited, blocked and deleted by hand: drift, announced like any other", async (t, open) => {
  const tenant = await startTestSimulator(t, { users: [{ ...KIM, nickname: "kim", app_metadata: { a: 1, b: 2 } }] });
  const page = await open(tenant.url);
  await page.click("#user-list button");

  await page.fill("[name=name]", "Kim Park");
  await page.fill("[name=nickname]", "");
  await page.fill("[name=app_metadata]", '{ "a": 3 }');
  await page.check("[name=blocked]");
  await page.click("#save-user");
  await seen(page, "#user-list", "Kim Park");

  const user = await tenant.user(KIM_ID);
  t.like(user, { name: "Kim Park", blocked: true, app_metadata: { a: 3 } });
  t.is(user?.["nickname"], undefined);
  t.deepEqual(user?.["app_metadata"], { a: 3 });
  await seen(page, "#event-list", "user.updated");
  await page.click("#user-list button");
  await page.click("#delete-user");
  t.is((await tenant.users()).length, 1, "one click is not enough");
  await page.click("#delete-user");
  await seen(page, "#user-count", "No users.");
  t.deepEqual(await tenant.users(), []);
});

browserTest("a user is added, and what is refused is said where it was asked", async (t, open) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  const page = await open(tenant.url);
  await page.click("#add-user");

  await page.fill("[name=user_metadata]", "no JSON");
  await page.click("#save-user");
  await seen(page, "#editor-problem", "user metadata must be a JSON object");
  await page.fill("[name=user_metadata]", "");
  await page.fill("[name=email]", "max@example.com");
  await page.click("#save-user");

  await seen(page, "#user-list", "max@example.com");
  t.is((await tenant.users()).length, 2);
});

browserTest("all of it goes by keyboard", async (t, open) => {
  const tenant = await startTestSimulator(t, { users: [KIM, { email: "max@example.com" }] });
  const page = await open(tenant.url);
  await seen(page, "#user-count", "2 users.");

  await page.keyboard.press("Tab");
  t.is(await page.locator(":focus").textContent(), "Skip to the users");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab"); // Add user
  await page.keyboard.press("Tab"); // the search
  await page.keyboard.type("kim");
  await seen(page, "#user-count", "1 user with “kim”.");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator("#editor[open]").waitFor();
  await page.focus("[name=nickname]");
  await page.keyboard.type("k");
  await page.keyboard.press("Enter");
  await page.locator("#editor:not([open])").waitFor({ state: "attached" });

  t.is((await tenant.user(KIM_ID))?.["nickname"], "kimk");
  await page.locator(`#user-list [data-id="${KIM_ID}"]:focus`).waitFor();
  await page.keyboard.press("Enter");
  await page.locator("#editor[open]").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#editor:not([open])").waitFor({ state: "attached" });
});

browserTest("calls come up as they are made, with status and time, and the buckets sink", async (t, open) => {
  const tenant = await startTestSimulator(t, { users: [KIM], plan: "free" });
  const page = await open(tenant.url);
  await seen(page, "#call-list", "No calls yet.");

  await tenant.api("GET", KIM_PATH);
  await tenant.request("GET", "/api/v2/nowhere");

  await seen(page, "#call-list li", "GET /api/v2/nowhere");
  const [last, before] = await page.locator("#call-list li").allTextContents();
  t.regex(last ?? "", /GET \/api\/v2\/nowhere404 \d/);
  t.regex(before ?? "", /GET \/api\/v2\/users\/auth0\|kim200 \d/);
  const bucket = page.locator(".bucket", { hasText: "All of the Management API" });
  t.regex((await bucket.textContent()) ?? "", /2\/s[0-2] of 2/);
  await page.click("#clear-calls");
  await seen(page, "#total-calls", "0");
});

browserTest("faults are switched on and off, and others than the page's own stay", async (t, open) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  const other = { kind: "status", route: "DELETE *", rate: 1, status: 500, workDone: false };
  await tenant.faults({ rules: [other] });
  const page = await open(tenant.url);
  const faults = async (): Promise<unknown> => (await tenant.request("GET", "/_simulator/faults")).body;

  await page.check("text=Events twice");
  await eventually(async () => {
    assert.deepEqual(await faults(), { seed: 1, rules: [other, { kind: "feed-duplicate", event: "*", rate: 1 }] });
  });
  await page.uncheck("text=Events twice");
  await eventually(async () => {
    assert.deepEqual(await faults(), { seed: 1, rules: [other] });
  });
  await page.click("summary");
  await page.fill("#plan", '{ "rules": [{ "kind": "wrong" }] }');
  await page.click("#set-plan");
  await seen(page, "#notice", "faults/rules/0");
  await page.click("#end-faults");
  await eventually(async () => {
    assert.deepEqual(await faults(), { seed: 1, rules: [] });
  });
  t.pass();
});

browserTest("what users are called is text, and harms nobody", async (t, open) => {
  const name = "<img src=x onerror=\"document.title='harm'\"><script>document.title='harm'</script>";
  const tenant = await startTestSimulator(t, { users: [{ ...KIM, name }] });
  const page = await open(tenant.url);

  await page.locator("#user-list button").waitFor();

  t.is(await page.locator("#user-list strong").textContent(), name);
  t.is(await page.title(), "Auth0 simulator");
});

/** Runs in the browser: how wide the page is, and the least contrast of its texts by WCAG. */
const MEASURE = `(() => {
  const luminance = (color) => {
    const [red, green, blue] = color.match(/\\d+/g).map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = luminance(getComputedStyle(document.querySelector("section")).backgroundColor);
  const contrasts = [...document.querySelectorAll(".who *, h2, .badge, .what, .end span, section .quiet")].map((text) => {
    const color = luminance(getComputedStyle(text).color);
    return (Math.max(color, ground) + 0.05) / (Math.min(color, ground) + 0.05);
  });
  return { width: document.documentElement.scrollWidth, contrast: Math.min(...contrasts) };
})()`;

for (const [what, window] of [
  ["a desk", { width: 1280, height: 900 }],
  ["a phone", { width: 360, height: 740 }],
  ["a phone at night", { width: 360, height: 740, scheme: "dark" }],
] as const) {
  browserTest(`on ${what} nothing is wider than the window, and text stands out from its ground`, async (t, open) => {
    const tenant = await startTestSimulator(t, { users: [{ ...KIM, name: "x".repeat(200) }], plan: "self-service" });
    await tenant.api("GET", `/api/v2/users?q=${"y".repeat(300)}`);
    const page = await open(tenant.url, window);
    await seen(page, "#call-list", "yyy");

    const { width, contrast } = await page.evaluate<{ width: number; contrast: number }>(MEASURE);

    t.is(width, window.width);
    t.true(contrast >= 4.5, `WCAG AA asks for 4.5, the least is ${contrast.toFixed(2)}`);
  });
}

browserTest("a simulator that is gone is said to be gone", async (t, open) => {
  const tenant = await startTestSimulator(t, { users: [KIM] });
  const page = await open(tenant.url);
  await seen(page, "#user-count", "1 user.");

  await tenant.close();

  await seen(page, "#notice", "The simulator does not answer.");
});
