// The web server of the tutorial as a person sees it: before the update, while it is applied, and after, with a wrong
// password, with the right one, and after the log-out. Run by browser_test.sh, which starts the server.
//
//   ADDRESS  of the server          MOULT, PID, SOLUTION   the command and what it is to do
//   CHROMIUM the browser            SCREENSHOTS            the folder that gets pictures of all of it
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

const { ADDRESS, MOULT, PID, SOLUTION, CHROMIUM, SCREENSHOTS } = process.env;
mkdirSync(SCREENSHOTS, { recursive: true });

// Chromium's own sandbox does not start for root.
const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
const patience = 200_000; // ms; a busy machine lets a browser wait for long
const browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: patience });

/** Someone with a browser window and cookies of their own. */
async function visitor() {
  const context = await browser.newContext({ viewport: { width: 760, height: 480 } });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  const number = async (id) => Number(await page.textContent(`#${id}`));
  return {
    page,
    goTo: async (name) => (await page.goto(`${ADDRESS}/${name}`)).status(),
    message: () => page.textContent("#message"),
    shown: () => number("shown"),
    seen: () => number("seen"),
    isAskedToLogIn: async () => (await page.locator('form[action="/login"]').count()) === 1,
    logIn: async (user, password) => {
      await page.getByLabel("Name").fill(user);
      await page.getByLabel("Password").fill(password);
      const [response] = await Promise.all([
        page.waitForResponse((answer) => answer.request().method() === "POST"),
        page.getByRole("button", { name: "Log in" }).click(),
      ]);
      await page.waitForLoadState();
      return response.status();
    },
    logOut: async () => {
      await page.getByRole("button", { name: "Log out" }).click();
      await page.waitForLoadState();
    },
    cookie: async () => (await context.cookies()).find((cookie) => cookie.name === "session")?.value,
    picture: (name) => page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) }),
  };
}

/** Loads pages for as long as the update takes: the old version's at first, and the form from some time on. */
async function watchUpdate(someone) {
  const command = spawn(MOULT, ["apply", PID, SOLUTION, "--timeout", "120"], { stdio: ["ignore", "pipe", "pipe"] });
  let words = "";
  for (const stream of [command.stdout, command.stderr]) stream.on("data", (data) => (words += data));
  let isOver = false;
  const ended = once(command, "close").then(([code]) => {
    isOver = true;
    return code;
  });
  let isUpdated = false;
  for (let loads = 0; !isOver; ++loads) {
    assert.equal(await someone.goTo("banana"), 200);
    if (await someone.isAskedToLogIn()) {
      isUpdated = true;
    } else {
      assert.ok(!isUpdated, "a page without log-in, after a log-in form");
      assert.equal(await someone.message(), "Have a banana, stranger.");
    }
    if (loads === 0) await someone.picture("2-during");
  }
  assert.equal(await ended, 0, words);
}

try {
  const ada = await visitor();
  assert.equal(await ada.goTo("hello"), 200);
  assert.equal(await ada.goTo("hello"), 200);
  assert.equal(await ada.message(), "Hello, stranger!");
  assert.deepEqual([await ada.shown(), await ada.seen()], [2, 2]);
  await ada.picture("1-before");
  const session = await ada.cookie();
  assert.match(session, /^[0-9a-f]{32}$/);

  const other = await visitor();
  await watchUpdate(other);
  assert.notEqual(await other.cookie(), session);

  assert.equal(await ada.goTo("hello"), 200);
  assert.ok(await ada.isAskedToLogIn());
  assert.equal(await ada.cookie(), session, "the session lives on");
  await ada.picture("3-log-in");

  assert.equal(await ada.logIn("ada", "hopper"), 403);
  assert.ok(await ada.isAskedToLogIn());
  assert.match(await ada.page.textContent(".wrong"), /password is wrong/);
  await ada.picture("4-wrong-password");

  assert.equal(await ada.logIn("ada", "lovelace"), 303);
  assert.equal(await ada.message(), "Hello, ada!");
  assert.deepEqual([await ada.shown(), await ada.seen()], [3, 3], "both counts are kept");
  assert.equal(await ada.cookie(), session);
  await ada.picture("5-logged-in");
  await ada.page.getByRole("link", { name: "coconut" }).click();
  assert.equal(await ada.message(), "Mind the coconut, ada!");
  assert.equal(await ada.seen(), 4);
  await ada.picture("6-another-page");

  await other.goTo("coconut");
  assert.ok(await other.isAskedToLogIn(), "who logs in does so for one session");
  assert.equal(await other.logIn("grace", "hopper"), 303);
  assert.equal(await other.message(), "Mind the coconut, grace!");

  await ada.logOut();
  assert.ok(await ada.isAskedToLogIn());
  await ada.picture("7-logged-out");
  assert.equal(await other.goTo("hello"), 200);
  assert.equal(await other.message(), "Hello, grace!");
} finally {
  await browser.close();
}
