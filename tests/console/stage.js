// Shows addresses of the console in frames, some at a time, and tells what in their documents is not text.
async (shows) => {
  const own = new URL(location.href).origin;
  const odd = (document) => {
    const found = [];
    for (const element of document.querySelectorAll("*")) {
      const name = element.localName;
      if (["iframe", "object", "embed", "base", "template", "noscript", "style"].includes(name)) found.push(name);
      if (name === "script" && !element.getAttribute("src")?.startsWith("/static/")) found.push(element.outerHTML);
      if (name === "meta" && element.httpEquiv) found.push(element.outerHTML);
      for (const { name: attribute, value } of element.attributes) {
        const bare = attribute.replace(/^data-/, "");
        if (/^(on|hx-on|style$|srcdoc$|formaction$)/.test(bare)) found.push(`${name} ${attribute}=${value}`);
        if (bare.startsWith("hx-") && !value.startsWith("#") && value.includes("pwned")) found.push(`${name} ${attribute}=${value}`);
        if (["href", "src", "action", "data", "xlink:href"].includes(attribute)) {
          const url = new URL(value, document.baseURI);
          if (url.origin !== own || url.pathname.startsWith("/pwned")) found.push(`${name} ${attribute}=${value}`);
        }
      }
    }
    return found;
  };
  const forms = (document) =>
    [...document.forms].map((form) => ({
      method: form.method,
      action: form.getAttribute("action"),
      fields: [...form.elements].filter((one) => one.name).map(({ name, type, value }) => ({ name, type, value })),
    }));
  const links = (document) => [...document.querySelectorAll(".pages a")].map((link) => link.getAttribute("href"));
  const show = async ({ address, fields }, number) => {
    const frame = document.createElement("iframe");
    frame.name = `show-${number}`;
    const shown = new Promise((done) => frame.addEventListener("load", () => frame.contentWindow.location.href === "about:blank" || done()));
    if (fields) {
      document.body.append(frame);
      const form = document.createElement("form");
      Object.assign(form, { method: "post", action: address, target: frame.name });
      for (const [name, value] of Object.entries(fields)) {
        const field = document.createElement("textarea");
        Object.assign(field, { name, value });
        form.append(field);
      }
      document.body.append(form);
      HTMLFormElement.prototype.submit.call(form);
      form.remove();
    } else {
      frame.src = address;
      document.body.append(frame);
    }
    await Promise.race([shown, new Promise((_, fail) => setTimeout(() => fail(new Error(`nothing shown for ${address}`)), 30000))]);
    // What is loaded or animated runs after the page's own load.
    await new Promise((done) => frame.contentWindow.requestAnimationFrame(() => setTimeout(done, 10)));
    const inside = frame.contentDocument;
    const told = { address, odd: odd(inside), text: inside.documentElement.textContent, forms: forms(inside), links: links(inside) };
    frame.remove();
    return told;
  };
  // The first by itself: frames that ask for the same style sheet before it is in the cache wait for each other.
  const told = [];
  while (told.length < shows.length) {
    const next = shows.slice(told.length, told.length + (told.length ? 16 : 1));
    told.push(...(await Promise.all(next.map((one, index) => show(one, told.length + index)))));
  }
  return told;
}
