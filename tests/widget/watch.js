// Runs in every page before its own scripts, and tells the test what happens there through `watched`.
(() => {
  const tell = (kind, data) => window.watched({ kind, ...data });
  const text = (node) => node.textContent.replace(/[\u2068\u2069]/g, "").replace(/\s+/g, " ").trim();

  document.addEventListener("securitypolicyviolation", (event) =>
    tell("csp", { directive: event.violatedDirective, blocked: event.blockedURI, sample: event.sample }),
  );

  // The widget's events do not bubble, but they are seen on their way down.
  for (const name of ["file-added", "progress", "scanning", "verdict", "error"]) {
    document.addEventListener(
      name,
      (event) => {
        if (event.target.localName !== "greenroom-upload") return;
        const { bubbles, composed, cancelable } = event;
        const frozen = Object.isFrozen(event.detail);
        const detail = { ...event.detail };
        tell("event", { widget: event.target.id, name, detail, bubbles, composed, cancelable, frozen });
      },
      true,
    );
  }

  // What a screen reader would say: each text that is put into a live region.
  const listen = (widget) =>
    new MutationObserver((records) => {
      for (const { target, addedNodes } of records) {
        const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
        const region = element?.closest("[role=status], [role=alert], [aria-live]");
        if (!region) continue;
        for (const node of addedNodes) {
          if (text(node)) tell("said", { widget: widget.id, text: text(node), role: region.getAttribute("role") });
        }
      }
    }).observe(widget.shadowRoot, { subtree: true, childList: true });
  document.addEventListener("DOMContentLoaded", async () => {
    await customElements.whenDefined("greenroom-upload");
    document.querySelectorAll("greenroom-upload").forEach(listen);
  });
})();
