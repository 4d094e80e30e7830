// The page around the frames: who you are, where you are, and what happens to the bot.

const $ = (id) => document.getElementById(id);
const frames = new Map(); // "ada.studio" → its frame, kept so that drafts and open dialogs survive a switch
const seen = new Map(); // "studio" → the newest message when it was last on the screen
const done = new Map(); // "ada.studio" → the last action whose end was told
const fresh = new Set(); // frames that were just loaded
let working = null; // an action that takes long enough to say so
let world = null;
let me = null;
let here = null;

function element(tag, text, attributes = {}) {
  const made = Object.assign(document.createElement(tag), attributes);
  if (text) made.textContent = text;
  return made;
}

function person() {
  return world.people.find((one) => one.key === me);
}

function frame(seat) {
  if (!frames.has(seat)) {
    const made = element("iframe", "", { src: `/discord#${seat}`, title: seat });
    made.dataset.seat = seat;
    frames.set(seat, made);
    made.addEventListener("load", () => {
      fresh.add(made);
      furnish(seat, made);
      if (seat === `${me}.${here}`) write(made);
    });
    $("frames").append(made);
  }
  return frames.get(seat);
}

function write(one) {
  one.contentDocument?.getElementById("channel-composer-input")?.focus({ preventScroll: true });
}

function show() {
  closeMenu();
  const open = Object.keys(person().places);
  if (!open.includes(here)) here = open[0];
  for (const place of open) frame(`${me}.${place}`);
  for (const [seat, one] of frames) {
    const shown = seat === `${me}.${here}`;
    one.classList.toggle("shown", shown);
    one.inert = !shown;
  }
  for (const button of $("people").children) button.setAttribute("aria-pressed", String(button.value === me));
  for (const button of $("places").children) {
    button.toggleAttribute("disabled", !open.includes(button.value));
    button.title = button.disabled ? `${person().name} may not see this channel` : "";
    if (button.value === here) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  markNews();
  write(frame(`${me}.${here}`));
  history.replaceState(null, "", `#${me}.${here}`);
  document.title = `${person().name} in #${here}`;
}

// A dot at a channel with something new, and at those who see a channel that this person does not.
function markNews() {
  const news = new Set();
  for (const { key, newest } of world.places) {
    if (key === here || !seen.has(key)) seen.set(key, newest);
    if (seen.get(key) !== newest) news.add(key);
  }
  for (const button of $("places").children) button.classList.toggle("news", news.has(button.value) && !button.disabled);
  for (const [index, { places }] of world.people.entries()) {
    const elsewhere = [...news].some((place) => place in places && !(place in person().places));
    $("people").children[index].classList.toggle("news", elsewhere);
  }
}

function build() {
  $("guild").textContent = world.guild.name;
  $("people").replaceChildren(...world.people.map((one) => {
    const button = element("button", "", { type: "button", value: one.key, title: `${one.title}, ${one.about}` });
    const words = element("span");
    words.append(element("b", one.name), element("small", one.title));
    button.append(element("span", one.name[0], { className: "face", ariaHidden: "true" }), words);
    button.addEventListener("click", () => { me = one.key; show(); });
    return button;
  }));
  $("places").replaceChildren(...world.places.map(({ key }) => {
    const button = element("button", key, { type: "button", value: key });
    button.addEventListener("click", () => { here = key; show(); });
    return button;
  }));
  $("hints").replaceChildren(...world.hints.map((hint) => element("li", hint)));
  $("sets").replaceChildren(...world.sets.map(({ key, title, archive }) => {
    const item = element("li");
    const post = element("button", "post", { type: "button", ariaLabel: `Post ${key} here`, title: "Post its pictures here" });
    post.addEventListener("click", () => postPictures(post, key));
    item.append(element("a", archive, { href: `/sandbox/${archive}`, download: archive, title }), post);
    return item;
  }));
  const [wanted, where] = location.hash.slice(1).split(".");
  me = world.people.some((one) => one.key === wanted) ? wanted : world.people[0].key;
  here = where || world.places[0].key;
  show();
}

function showBot(state, trouble = "") {
  const words = { running: "The bot is running", starting: "The bot is starting…", stopping: "The bot is stopping…",
    stopped: "The bot is stopped", gone: "The sandbox is stopped" };
  $("bot").textContent = (state === "stopped" && trouble) || words[state];
  $("bot").dataset.state = state;
  $("restart").disabled = !["running", "stopped"].includes(state);
  $("restart").textContent = state === "stopped" ? "Start the bot" : "Restart the bot";
}

async function look() {
  try {
    const next = await (await fetch("/sandbox/state", { cache: "no-store" })).json();
    if (world && next.run !== world.run) { location.reload(); return; }
    const first = !world;
    world = next;
    if (first) build();
    else markNews();
    $("others").hidden = !world.links.length;
    $("links").replaceChildren(...world.links.map((link) => {
      const item = element("li");
      item.append(element("a", link.title, { href: link.url, target: "_blank", rel: "noreferrer" }));
      return item;
    }));
    showBot(world.bot, world.trouble);
  } catch {
    showBot("gone");
  }
  setTimeout(look, 1000);
}

$("restart").addEventListener("click", async () => {
  showBot($("bot").dataset.state === "stopped" ? "starting" : "stopping");
  try {
    const { bot, trouble } = await (await fetch("/sandbox/restart", { method: "POST" })).json();
    showBot(bot, trouble);
  } catch {
    showBot("gone");
  }
});

// SimCord's page has no way to attach a file to a message.
async function postPictures(button, set) {
  button.disabled = true;
  try {
    const headers = { "X-Simcord-Capability": `${me}.${here}` };
    const answer = await fetch("/sandbox/post", { method: "POST", headers, body: JSON.stringify({ set }) });
    notice(answer.ok ? "" : "They could not be posted.", answer.ok ? 0 : 6000);
    frame(`${me}.${here}`).contentDocument?.querySelector("#new-messages:not([hidden])")?.click();
  } catch { /* the sandbox was stopped, and `look` says so */ }
  button.disabled = false;
}

function relative(when) {
  const seconds = (when - Date.now()) / 1000;
  const size = Math.abs(seconds);
  const [unit, length] = size < 60 ? ["second", 1] : size < 3600 ? ["minute", 60] : size < 86400 ? ["hour", 3600]
    : size < 604800 ? ["day", 86400] : ["week", 604800];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / length), unit);
}
const RELATIVE = /^(in \d|now$|tomorrow$|yesterday$|(next|last|this) )|ago$/;

// Stay with the newest message until the person scrolls up: SimCord begins with the oldest, and lets go by a pixel.
function follow(timeline, list) {
  let following = true;
  let last = {};
  const keep = () => { if (following) timeline.scrollTop = timeline.scrollHeight; };
  timeline.addEventListener("scroll", () => {
    const next = { top: timeline.scrollTop, height: timeline.scrollHeight, room: timeline.clientHeight };
    if (next.height === last.height && next.room === last.room && next.top < last.top) following = false;
    if (next.height - next.top - next.room < 40) following = true;
    last = next;
  }, { passive: true });
  const observer = new ResizeObserver(keep);
  observer.observe(list);
  observer.observe(timeline);
  keep();
}

// What a frame needs once, when it has loaded: what Discord does and SimCord's page does not.
function furnish(seat, one) {
  const inside = one.contentDocument;
  inside.addEventListener("contextmenu", (event) => {
    const message = event.target.closest(".channel-message");
    if (message) openMenu(event, seat, one, message.dataset.messageId);
  });
  inside.addEventListener("pointerdown", closeMenu);
  inside.addEventListener("scroll", closeMenu, { capture: true, passive: true });
  inside.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (link && followLink(link.href)) event.preventDefault();
    // A choice that was made closes its list, and Enter sends: SimCord opens the list again, or forgets where one was.
    if (!event.target.closest(".command-suggestion")) return;
    const field = inside.activeElement;
    if (field === inside.body) inside.querySelector(".command-chip")?.focus();
    else if (field.matches(".command-option-input") && field.value) press(field, "Escape");
  });
  // A file that was chosen leaves the keyboard where Enter sends: SimCord would ask for the file again.
  inside.addEventListener("change", ({ target }) => {
    if (target.type === "file" && !target.closest("#modal-root")) setTimeout(() => inside.querySelector(".command-chip")?.focus());
  });
  // An empty field says at once what can be chosen.
  inside.addEventListener("focusin", ({ target }) => {
    if (target.matches(".command-option-input[role='combobox']") && !target.value && inside.querySelector(".command-empty")) {
      target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
  // Enter sends a command that needs nothing: SimCord would choose the first of its options.
  let chosen = false;
  inside.addEventListener("keydown", (event) => {
    if (/^Arrow/.test(event.key)) chosen = true;
    else if (event.key === "Enter" && !chosen && event.target.matches(".command-chip")) press(event.target, "Escape");
    else chosen = false;
  }, { capture: true });
}

function press(target, key) {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

// A link to a message of this community leads there, and not to the real Discord.
function followLink(address) {
  const [, guild, channel, message] = /^https:\/\/discord\.com\/channels\/(\d+)\/(\d+)(?:\/(\d+))?$/.exec(address) ?? [];
  if (guild !== world.guild.id) return false;
  const place = world.places.find((one) => one.id === channel);
  if (!place || !(place.key in person().places)) return false;
  here = place.key;
  show();
  const shown = frame(`${me}.${here}`).contentDocument;
  shown?.querySelector(`.channel-message[data-message-id="${message}"]`)?.scrollIntoView({ block: "center" });
  return true;
}

// A message's menu, which Discord opens with the right mouse button.
function openMenu(event, seat, one, message) {
  const [who, where] = seat.split(".");
  const names = world.people.find(({ key }) => key === who).places[where].menu;
  if (!names.length) return;
  event.preventDefault();
  $("menu").replaceChildren(...names.map((name) => {
    const item = element("button", name, { type: "button", role: "menuitem" });
    item.addEventListener("click", () => { closeMenu(); choose(seat, one, name, message); });
    return item;
  }));
  $("menu").hidden = false;
  const room = $("frames").getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = $("menu");
  $("menu").style.left = `${Math.min(event.clientX, room.width - width - 8)}px`;
  $("menu").style.top = `${Math.min(event.clientY, room.height - height - 8)}px`;
  $("menu").firstElementChild.focus();
}

function closeMenu() {
  $("menu").hidden = true;
}

async function choose(seat, one, name, message) {
  const late = setTimeout(() => notice("The bot is thinking…"), 700);
  let answered = false;
  try {
    const headers = { "X-Simcord-Capability": seat, "X-Simcord-Context": one.contentWindow.simcordPreview.contextId };
    const asked = { method: "POST", headers, body: JSON.stringify({ name, message }) };
    ({ answered } = await (await fetch("/sandbox/menu", asked)).json());
  } catch { /* the sandbox was stopped, and `look` says so */ }
  clearTimeout(late);
  notice(answered ? "" : "The application did not respond.", answered ? 0 : 6000);
  one.contentDocument.querySelector("#new-messages:not([hidden])")?.click();
}

document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") closeMenu();
  const items = [...$("menu").children];
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (step && !$("menu").hidden) items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
});
document.addEventListener("pointerdown", ({ target }) => { if (!target.closest("#menu")) closeMenu(); });

// What SimCord leaves to whoever looks at its page.
function tend(seat, one) {
  const inside = one.contentDocument;
  const page = one.contentWindow?.simcordPreview;
  if (!inside || !page) return;
  const list = inside.getElementById("channel-message-list");
  if (fresh.has(one) && (list.childElementCount || page.ready)) {
    fresh.delete(one);
    follow(inside.getElementById("channel-timeline"), list);
  }
  for (const time of inside.querySelectorAll("time.discord-timestamp")) {
    if (!RELATIVE.test(time.textContent)) continue;
    const now = relative(Date.parse(time.dateTime));
    if (time.textContent !== now) time.textContent = now;
  }
  const status = inside.getElementById("action-status")?.textContent ?? "";
  if (/session is unavailable|session (ended|closed)/.test(status)) one.contentWindow.location.reload(); // it slept too long
  if (!one.classList.contains("shown")) return;
  const busy = page.pendingAction && /^(run_command|click|select|modal_submit|send_message)$/.test(page.pendingAction.kind);
  if (busy && page.pendingAction.requestId === working) notice("The bot is thinking…");
  else if (!busy && working) notice("");
  working = busy ? page.pendingAction.requestId : null;
  const last = page.lastAction;
  if (!last || done.get(seat) === last.requestId) return;
  const first = !done.has(seat);
  done.set(seat, last.requestId);
  if (first && !last.command) return;
  if (last.rejected) notice("That did not work. Please try again.", 6000);
  else if (["failed", "timeout"].includes(last.settlement) || last.acknowledgement === "unacknowledged") {
    notice("The application did not respond.", 6000);
  }
  const answer = last.outcomes.some((outcome) => outcome.messageId && outcome.kind !== "source_edit");
  const latest = inside.getElementById("new-messages");
  if (answer && !latest.hidden) latest.click(); // Discord, too, shows what you have just done
}

let gone = 0;
function notice(words, milliseconds = 0) {
  clearTimeout(gone);
  $("notice").textContent = words;
  $("notice").hidden = !words;
  if (milliseconds) gone = setTimeout(() => notice(""), milliseconds);
}

setInterval(() => { for (const [seat, one] of frames) tend(seat, one); }, 250);

look();
