// Reads the asset's metadata where the chain says it is, and checks that it is what the chain says it is.
"use strict";

const place = (uri, gateway) => {
  if (typeof uri !== "string") return null;
  if (uri.startsWith("ipfs://")) return gateway + uri.slice(7).replace(/^ipfs\//, "");
  if (!/^https?:\/\//.test(uri)) return null;
  const found = uri.indexOf("/ipfs/");
  return found >= 0 ? gateway + uri.slice(found + 6) : uri;
};

const sha256 = async (bytes) => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return "0x" + Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

const fetched = async (address) => {
  const answer = await fetch(address, { referrerPolicy: "no-referrer" });
  if (!answer.ok) throw new Error(`the gateway answered ${answer.status}`);
  return answer.arrayBuffer();
};

const say = (element, words, kind) => {
  element.textContent = words;
  element.classList.add(kind);
};

const show = async (metadata, gateway) => {
  const text = (value) => (typeof value === "string" ? value : "");
  const title = text(metadata.title) || text(metadata.name);
  if (title) {
    document.getElementById("title").textContent = title;
    document.title = title;
  }
  document.getElementById("description").textContent = text(metadata.description);
  const creators = document.getElementById("creators");
  for (const creator of Array.isArray(metadata.creators) ? metadata.creators : []) {
    const line = document.createElement("li");
    const share = Number.isFinite(creator?.contributionPercent) ? `, ${creator.contributionPercent} %` : "";
    line.textContent = `By ${text(creator?.name) || text(creator?.address)}${share}`;
    creators.append(line);
  }
  const address = place(metadata.image, gateway);
  if (!address) return;
  document.getElementById("image").src = address;
  document.getElementById("original").href = address;
  document.getElementById("figure").hidden = false;
  const wanted = text(metadata.imageHash).toLowerCase();
  if (!wanted) return;
  const check = document.getElementById("image-check");
  try {
    const same = (await sha256(await fetched(address))) === wanted;
    say(check, same ? "✓ These are the registered bytes." : "✗ This is not the image that was registered.", same ? "good" : "bad");
  } catch (error) {
    say(check, `The image could not be checked: ${error.message}.`, "check");
  }
};

(async () => {
  const { uri, hash, gateway } = document.getElementById("asset").dataset;
  const check = document.getElementById("check");
  if (!uri) {
    say(check, "It has no metadata that a browser could read.", "check");
    return;
  }
  try {
    const bytes = await fetched(uri);
    const same = (await sha256(bytes)) === hash;
    say(check, same ? "✓ The metadata is what was registered." : "✗ The metadata is not what was registered.", same ? "good" : "bad");
    await show(JSON.parse(new TextDecoder().decode(bytes)), gateway);
  } catch (error) {
    say(check, `The metadata could not be read: ${error.message}.`, "bad");
  }
})();
