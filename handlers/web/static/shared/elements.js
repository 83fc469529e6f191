// Elements of a component: built one by one, so that no text of a server becomes markup.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

/** Build an element of SVG. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter(Boolean));
  return node;
}

// A constructed sheet needs no permission of the page's policy; older browsers need its nonce.
export function dress(root, style, nonce) {
  if ("adoptedStyleSheets" in root) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } else {
    root.append(el("style", nonce ? { nonce } : {}, style));
  }
}

/** Give the class a property for each attribute; the value beside its name is what an absent one means. */
export function reflect(type, attributes) {
  for (const [name, fallback] of Object.entries(attributes)) {
    Object.defineProperty(type.prototype, name, {
      configurable: true,
      enumerable: true,
      get() {
        return this.getAttribute(name) || fallback;
      },
      set(value) {
        if (value === null || value === undefined || value === "") this.removeAttribute(name);
        else this.setAttribute(name, value);
      },
    });
  }
}

/** Turn what a framework set before the class was known, a plain property that hides ours, into ours. */
export function adopt(element, names) {
  for (const name of names) {
    if (!Object.hasOwn(element, name)) continue;
    const value = element[name];
    delete element[name];
    element[name] = value;
  }
}
