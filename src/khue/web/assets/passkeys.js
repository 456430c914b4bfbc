// Shows the passkey buttons where the browser can use them, and says so when the device refuses.
(() => {
  "use strict";
  if (window.PublicKeyCredential) document.querySelectorAll("[data-khue-passkey]").forEach((button) => { button.hidden = false; });
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const note = document.getElementById("khue-passkey-failed");
    document.getElementById("khue-messages").replaceChildren(note.content.cloneNode(true));
  });
})();
