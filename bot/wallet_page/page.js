// Asks a wallet of this browser to sign the text of the page (personal_sign), and sends the signature back.
"use strict";

const find = (id) => document.getElementById(id);
const address = find("address").textContent;
const message = find("message").textContent;
const wallets = new Map(); // name of a wallet, and its provider

function say(text, look = "") {
  find("status").textContent = text;
  find("status").className = look;
}

function hex(text) {
  return "0x" + Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function enable(enabled) {
  for (const button of document.querySelectorAll("button")) button.disabled = !enabled;
}

function offer(name, provider) {
  if ([...wallets.values()].includes(provider) || wallets.has(name)) return;
  wallets.set(name, provider);
  const button = document.createElement("button");
  button.textContent = `Sign with ${name}`;
  button.addEventListener("click", () => sign(provider));
  find("wallets").append(button);
  say("Press the button, and confirm in your wallet.");
}

async function sign(provider) {
  enable(false);
  try {
    say("Your wallet asks which account may be used here…");
    const accounts = await provider.request({ method: "eth_requestAccounts" });
    const account = accounts.find((each) => each.toLowerCase() === address.toLowerCase());
    if (!account) {
      say(`Your wallet offers ${accounts.join(", ") || "no account"}. Let it use ${address} on this page, or begin ` +
        "again with /wallet link and the other address.", "failed");
      return;
    }
    say("Your wallet shows the text. Confirm it there…");
    const signature = await provider.request({ method: "personal_sign", params: [hex(message), account] });
    await send(signature);
  } catch (error) {
    const declined = error && error.code === 4001;
    say(declined ? "You declined, and nothing was linked. You can press the button again."
      : `Your wallet answered: ${(error && error.message) || "nothing"}. Nothing was linked.`, "failed");
  } finally {
    enable(find("status").className !== "done");
  }
}

async function send(signature) {
  let answer;
  try {
    const response = await fetch(location.pathname, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ signature }),
    });
    answer = await response.json();
  } catch {
    find("signature").textContent = signature;
    find("paste").hidden = false;
    say("The bot did not answer.", "failed");
    return;
  }
  say(answer.sentence, answer.linked ? "done" : "failed");
}

// Wallets announce themselves (EIP-6963); older ones are at window.ethereum alone.
window.addEventListener("eip6963:announceProvider", (event) => offer(event.detail.info.name, event.detail.provider));
window.dispatchEvent(new Event("eip6963:requestProvider"));
setTimeout(() => {
  if (!wallets.size && window.ethereum) offer("your wallet", window.ethereum);
  if (!wallets.size) {
    say("There is no wallet in this browser. Open this page where your wallet is: in the browser with its extension, or " +
      "in the browser of the wallet's app. The message in Discord says how to sign without this page.", "failed");
  }
}, 500);
