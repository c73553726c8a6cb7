// <form data-passkey="get|create" data-options="url"> asks the server what the passkey has to sign, lets the browser
// sign it, and sends the answer in its field "credential". Without this the form is sent without one, and says so.
const NO_KEYS = !window.PublicKeyCredential || !navigator.credentials;

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function keysOf(list) {
  return list?.map((key) => ({ ...key, id: bytes(key.id) }));
}

function readable({ publicKey }) {
  const options = { ...publicKey, challenge: bytes(publicKey.challenge) };
  if (options.user) options.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) options.excludeCredentials = keysOf(options.excludeCredentials);
  if (options.allowCredentials) options.allowCredentials = keysOf(options.allowCredentials);
  return { publicKey: options };
}

function sendable(credential) {
  const { response } = credential;
  const answer = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) answer[name] = text(response[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: answer };
}

async function ask(form) {
  const answer = await fetch(form.dataset.options, { method: "POST", body: new FormData(form), redirect: "manual" });
  // A redirect: the session ended, or the server wants to know first who this is. It says so on a page.
  if (answer.type === "opaqueredirect") return location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  const options = readable(await answer.json());
  const credential = await navigator.credentials[form.dataset.passkey](options);
  form.elements.credential.value = JSON.stringify(sendable(credential));
  form.submit();
}

function tell(form, kind) {
  const problem = form.querySelector("[data-passkey-problem]");
  problem.textContent = problem.dataset[kind];
  problem.hidden = false;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    if (NO_KEYS) return tell(form, "unsupported");
    button.disabled = true;
    try {
      await ask(form);
    } catch {
      tell(form, "failed");
      button.disabled = false;
    }
  });
}
