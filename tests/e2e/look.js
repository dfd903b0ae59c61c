// What a reader sees of a widget: the colours of its words, focus rings, what moves.
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  // Any CSS colour as [red, green, blue, alpha], 0 to 255.
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, below) =>
    below.map((x, i) => (top[i] * top[3] + x * (255 - top[3])) / 255);
  const ancestors = (element) => (element ? [...ancestors(element.parentElement), element] : []);
  // The colour that an element stands on.
  const behind = (element) =>
    ancestors(element)
      .map((e) => rgba(getComputedStyle(e).backgroundColor))
      .reduce((below, top) => over(top, below), [255, 255, 255]);
  const luminance = (color) =>
    color
      .map((x) => (x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4))
      .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  // The ratio of the Web Content Accessibility Guidelines, 1 to 21.
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const drawn = (element) =>
    element.checkVisibility({ opacityProperty: true }) && element.getBoundingClientRect().width > 1;

  globalThis.cnnwLook = {
    surface: behind,
    // [words, contrast, colour] of every element with words of its own; hatched cells have no one ground.
    words: (root) =>
      [...root.querySelectorAll("*")]
        .filter((e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim()))
        .filter((e) => drawn(e) && !e.closest("option, td:not([style]), :disabled, [aria-disabled=true]"))
        .map((e) => {
          const color = rgba(getComputedStyle(e).color);
          const ratio = contrast(over(color, behind(e)), behind(e));
          return [e.textContent.trim(), ratio, color.join()];
        }),
    // The role of the focused element, and how far the ring around it, or around its picture, stands out.
    ring: () => {
      const e = document.activeElement;
      const rings = [e, ...e.children].map((at) => {
        const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(at);
        const thick = outlineStyle === "solid" && Number.parseFloat(outlineWidth) >= 2;
        return thick ? contrast(over(rgba(outlineColor), behind(at)), behind(at)) : 0;
      });
      return [e.role ?? e.tagName.toLowerCase(), Math.max(...rings)];
    },
    // How many elements would take time over a change.
    moving: (root) =>
      [...root.querySelectorAll("*")].filter((e) =>
        getComputedStyle(e).transitionDuration.split(",").some((s) => Number.parseFloat(s) > 0),
      ).length,
  };
})();
