"use strict";
// What the other parts share: elements, texts, and buttons.
const KEPT = 200;
const $ = (id) => document.getElementById(id);
/** An element with a text, or with the children of a list. Texts are never markup. */
const make = (tag, content = "", kind = "") => {
  const element = document.createElement(tag);
  if (Array.isArray(content)) element.append(...content);
  else element.textContent = content;
  if (kind) element.className = kind;
  return element;
};
const table = (id, heads, rows) => {
  const head = make(
    "tr",
    heads.map((text) => {
      const th = make("th", text);
      th.scope = "col";
      return th;
    }),
  );
  $(id).replaceChildren(make("thead", [head]), make("tbody", rows));
};
const rowHeader = (text) => {
  const th = make("th", text);
  th.scope = "row";
  return th;
};
const put = (id, text, kind) => {
  if ($(id).textContent !== text) $(id).textContent = text;
  if (kind !== undefined) $(id).classList.remove("good", "bad", "warn", "soft");
  if (kind) $(id).classList.add(kind);
};

// ---- the key: it is in the address that `local` printed, leaves the address bar at once, and stays with this tab
const KEY = "console-key";
function takeKey() {
  if (location.hash.length <= 30) return;
  sessionStorage.setItem(KEY, location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  notice("");
}
const NO_KEY =
  "You can watch, but the buttons need the key of this run: open the console address that “local” printed.";
function notice(text) {
  put("notice", text);
  $("notice").hidden = !text;
}
takeKey();
// The address of another run, pasted over this one, differs behind `#` alone and loads nothing.
window.addEventListener("hashchange", takeKey);

const PROBLEMS = {
  no_client: "There is no such client.",
  call: "That route cannot be explained.",
  malformed: "The stack does not understand this: is the token too long?",
  no_authorizer: "The template does not say all of the authorizer’s settings, so nothing can be explained here.",
  cross_site: "The stack answers only its own page at 127.0.0.1 or localhost.",
};
/** Presses a button. Throws what a person should read. */
async function press(button, body) {
  let answer;
  try {
    answer = await fetch("/_local/" + button, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-Console-Key": sessionStorage.getItem(KEY) || "" },
    });
  } catch {
    throw new Error("The stack does not answer. Is “local” still running?");
  }
  const reply = await answer.json().catch(() => ({}));
  if (answer.ok) return reply;
  if (answer.status === 401) {
    notice(NO_KEY);
    throw new Error(NO_KEY);
  }
  throw new Error(PROBLEMS[reply.error] || `That did not work (${answer.status}).`);
}
/** Makes a button do `work`, once at a time, and say at `place` what went wrong. */
function on(button, place, work) {
  $(button).onclick = async () => {
    // Not `disabled`, which would take the focus away.
    if ($(button).ariaBusy === "true") return;
    $(button).ariaBusy = "true";
    try {
      await work();
    } catch (error) {
      put(place, error.message, "bad");
    }
    $(button).ariaBusy = "false";
  };
}
