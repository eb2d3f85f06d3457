(() => {
  "use strict";
  const root = document.documentElement;
  const LANE = 15, LEAST = 10, SVG = "http://www.w3.org/2000/svg";
  const THEMES = ["system", "light", "dark"];
  const ICONS = { missed: "○ ", spurious: "× " };

  const remember = (key, value) => { try { localStorage.setItem("dragoman-" + key, value); } catch { /* not kept */ } };
  const recall = (key) => { try { return localStorage.getItem("dragoman-" + key); } catch { return null; } };

  let theme = THEMES.includes(recall("theme")) ? recall("theme") : "system";
  const setTheme = () => { if (theme === "system") delete root.dataset.theme; else root.dataset.theme = theme; };
  root.classList.add("js");
  setTheme();

  const byId = (id) => document.getElementById(id);
  const make = (name, attributes, parent) => {
    const node = document.createElementNS(SVG, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (parent) parent.append(node);
    return node;
  };

  /* arcs: a whole batch is read, then written, so that the layout is worked out a few times only */
  let relations = [], widthOf = null;
  const sides = new Map();

  function parse(text) {
    const arcs = text.dataset.arcs.split(";").map((item) => {
      const [source, target, relation, verdict] = item.split(",");
      const [name, both] = relations[relation];
      return { source, target, verdict, both, label: (ICONS[verdict] || "") + name };
    });
    const spans = new Map();
    for (const span of text.querySelectorAll("[data-i]")) spans.set(span.dataset.i, span);
    return { text, arcs, spans, visible: false, width: 0, active: null, pinned: null };
  }

  /* where each span begins, in lines of equal height */
  function read(side) {
    const style = getComputedStyle(side.text);
    const box = side.text.getBoundingClientRect();
    const height = parseFloat(style.lineHeight);
    const ends = new Map();
    for (const [number, span] of side.spans) {
      const all = [...span.getClientRects()];
      const rect = all.find((one) => one.width > 1) || all[0];
      if (!rect) continue;
      const line = Math.max(0, Math.floor(((rect.top + rect.bottom) / 2 - box.top) / height));
      ends.set(number, { span, line, left: rect.left - box.left, right: rect.right - box.left, legs: [] });
    }
    return { side, ends, height, width: box.width, rise: (height + parseFloat(style.fontSize)) / 2 };
  }

  /* the stretches of each arc, one for each line of text where it begins or ends */
  function stretches(view) {
    const found = [];
    view.side.arcs.forEach((arc, place) => {
      const from = view.ends.get(arc.source), to = view.ends.get(arc.target);
      if (!from || !to) return;
      const leg = (end, other, head) => {
        const forward = other.line > end.line || (other.line === end.line && other.left >= end.left);
        const one = { end, head, forward, x: 0 };
        end.legs.push(one);
        return one;
      };
      const source = leg(from, to, arc.both), target = leg(to, from, true);
      if (from.line === to.line) found.push({ place, arc, line: from.line, legs: [source, target] });
      else for (const one of [source, target]) found.push({ place, arc, line: one.end.line, legs: [one], open: one.forward });
    });
    for (const end of view.ends.values()) {
      end.legs.sort((a, b) => a.forward - b.forward);
      const step = Math.min(9, (end.right - end.left - 4) / Math.max(1, end.legs.length));
      end.legs.forEach((leg, n) => { leg.x = (end.left + end.right) / 2 + (n - (end.legs.length - 1) / 2) * step; });
    }
    for (const one of found) {
      const xs = one.legs.map((leg) => leg.x);
      one.low = one.open === false ? 0 : Math.min(...xs);
      one.high = one.open === true ? view.width : Math.max(...xs);
      one.wide = widthOf(one.arc.label);
      const half = one.wide / 2, beside = one.legs.length === 1 && one.high - one.low < one.wide + 8;
      const middle = !beside ? (one.low + one.high) / 2 : one.open ? one.low - half - 2 : one.high + half + 2;
      one.middle = Math.min(Math.max(middle, half), Math.max(half, view.width - half));
      one.from = Math.min(one.low, one.middle - half) - 3;
      one.to = Math.max(one.high, one.middle + half) + 3;
    }
    return found;
  }

  /* the shortest lie lowest; each takes the lowest free lane of its line */
  function stack(found) {
    const taken = new Map();
    found.sort((a, b) => (a.high - a.low) - (b.high - b.low) || a.place - b.place);
    for (const one of found) {
      const rows = taken.get(one.line) || [];
      taken.set(one.line, rows);
      let lane = rows.findIndex((row) => row.every((other) => one.to <= other.from || other.to <= one.from));
      if (lane < 0) lane = rows.push([]) - 1;
      rows[lane].push(one);
      one.lane = lane;
    }
    return new Map([...taken].map(([line, rows]) => [line, rows.length]));
  }

  /* room above each line that has arcs, made by the first span on it */
  function lift(view) {
    view.found = stretches(view);
    view.lanes = stack(view.found);
    const lifted = new Set();
    for (const end of view.ends.values()) {
      const lanes = view.lanes.get(end.line);
      if (!lanes || lifted.has(end.line)) continue;
      lifted.add(end.line);
      end.span.style.setProperty("--lift", `${Math.ceil(view.rise * 0.86 + 5 + lanes * LANE)}px`);
      end.span.classList.add("lift");
    }
    view.side.text.parentElement.style.setProperty("--first", `${(view.lanes.get(0) || 0) * LANE}px`);
  }

  /* how high each line came to stand */
  function level(view) {
    const top = view.side.text.getBoundingClientRect().top;
    view.ceilings = new Map();
    for (const end of view.ends.values()) {
      const rects = [...end.span.getClientRects()];
      end.top = (rects.find((one) => one.width > 1) || rects[0]).top - top;
      view.ceilings.set(end.line, Math.min(end.top, view.ceilings.get(end.line) ?? Infinity));
    }
  }

  function draw(view) {
    const { side } = view;
    side.width = view.width;
    side.text.querySelector(".arcs")?.remove();
    const svg = make("svg", { class: "arcs", "aria-hidden": "true" });
    const layer = () => side.arcs.map((arc) => make("g", { class: "arc " + arc.verdict }, svg));
    const lines = layer(), labels = layer();
    for (const one of view.found) {
      const y = Math.round(view.ceilings.get(one.line) - 3 - (one.lane + 0.5) * LANE) + 0.5;
      make("path", { class: "line", d: path(one, y) }, lines[one.place]);
      for (const leg of one.legs) {
        if (leg.head) make("path", { class: "head", d: `M${leg.x} ${leg.end.top}l-3.5 -6h7z` }, lines[one.place]);
      }
      make("rect", { x: one.middle - one.wide / 2 + 2, y: y - 6, width: one.wide - 4, height: 12 }, labels[one.place]);
      make("text", { x: one.middle, y: y + 3.5 }, labels[one.place]).textContent = one.arc.label;
    }
    side.groups = side.arcs.map((_, place) => [lines[place], labels[place]]);
    side.text.append(svg);
    prepare(side);
    if (side.active !== null) pick(side, side.active);
  }

  function path(one, y) {
    const bend = 4, ends = [...one.legs].sort((a, b) => a.x - b.x);
    const foot = (leg) => leg.end.top - (leg.head ? 4 : 0);
    if (ends.length === 2) {
      const [a, b] = ends, r = Math.min(bend, (b.x - a.x) / 2);
      return `M${a.x} ${foot(a)}V${y + r}q0 ${-r} ${r} ${-r}H${b.x - r}q${r} 0 ${r} ${r}V${foot(b)}`;
    }
    const [leg] = ends, turn = one.open ? bend : -bend;
    return `M${leg.x} ${foot(leg)}V${y + bend}q0 ${-bend} ${turn} ${-bend}H${one.open ? one.high : one.low}`;
  }

  /* one tab stop for each side with arcs; the arrow keys move on from there */
  function prepare(side) {
    if (side.prepared) return;
    side.prepared = true;
    [...side.spans.values()].forEach((span, place) => {
      span.setAttribute("role", "button");
      span.setAttribute("aria-pressed", "false");
      span.tabIndex = place ? -1 : 0;
    });
  }

  function pick(side, number) {
    side.active = number;
    const linked = new Set();
    side.arcs.forEach((arc, place) => {
      const on = number !== null && (arc.source === number || arc.target === number);
      if (on) linked.add(arc.source).add(arc.target);
      for (const group of side.groups?.[place] || []) group.classList.toggle("on", on);
    });
    side.text.classList.toggle("picking", linked.size > 0);
    for (const [key, span] of side.spans) span.classList.toggle("on", linked.has(key));
  }

  const pending = new Set();
  function request(side) {
    if (!pending.size) requestAnimationFrame(flush);
    pending.add(side);
  }
  function flush() {
    const batch = [...pending].filter((side) => side.text.isConnected && side.text.getClientRects().length);
    pending.clear();
    for (const side of batch) for (const span of side.spans.values()) span.classList.remove("lift");
    const views = batch.map(read);
    views.forEach(lift);
    views.forEach(level);
    views.forEach(draw);
    tidyTags(batch.map((side) => side.text));
  }

  /* a tag that would stick out at the right is set flush with the end of its span */
  function tidyTags(texts) {
    const late = [];
    for (const text of texts) for (const tag of text.querySelectorAll(".tag.end")) tag.classList.remove("end");
    for (const text of texts) {
      const edge = text.getBoundingClientRect().right;
      for (const tag of text.querySelectorAll(".tag")) if (tag.getBoundingClientRect().right > edge) late.push(tag);
    }
    for (const tag of late) tag.classList.add("end");
  }

  function sideOf(node) {
    const span = node instanceof Element ? node.closest("[data-i]") : null;
    const side = span && sides.get(span.closest(".text"));
    return side && side.groups ? [side, span] : [null, null];
  }

  function watchSpans() {
    let shownSide = null;
    const show = (node) => {
      const [side, span] = sideOf(node);
      if (shownSide && shownSide !== side) pick(shownSide, shownSide.pinned);
      shownSide = side;
      if (side) pick(side, span.dataset.i);
    };
    const pin = (node) => {
      const [side, span] = sideOf(node);
      if (!side) return;
      side.pinned = side.pinned === span.dataset.i ? null : span.dataset.i;
      for (const [key, one] of side.spans) one.setAttribute("aria-pressed", String(key === side.pinned));
      pick(side, side.pinned);
    };
    document.addEventListener("mouseover", (event) => show(event.target));
    document.addEventListener("focusin", (event) => show(event.target));
    document.addEventListener("click", (event) => pin(event.target));
    document.addEventListener("keydown", (event) => {
      const [side, span] = sideOf(document.activeElement);
      if (!side) return;
      const all = [...side.spans.values()], place = all.indexOf(span);
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step) {
        const next = all[(place + step + all.length) % all.length];
        span.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      } else if (event.key === "Enter" || event.key === " ") pin(span);
      else if (event.key === "Escape") { side.pinned = span.dataset.i; pin(span); }
      else return;
      event.preventDefault();
    });
  }

  function watchArcs() {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = "500 10.5px " + getComputedStyle(root).getPropertyValue("--sans");
    const widths = new Map();
    widthOf = (label) => {
      if (!widths.has(label)) widths.set(label, pen.measureText(label).width + LEAST);
      return widths.get(label);
    };
    relations = JSON.parse(document.body.dataset.relations);
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const side = sides.get(entry.target);
        side.visible = entry.isIntersecting;
        if (side.visible && side.width !== entry.boundingClientRect.width) request(side);
      }
    }, { rootMargin: "400px 0px" });
    for (const text of document.querySelectorAll(".text[data-arcs]")) {
      sides.set(text, parse(text));
      seen.observe(text);
    }
    new ResizeObserver(() => { for (const side of sides.values()) if (side.visible) request(side); }).observe(byId("main"));
  }

  function watchTools() {
    const only = byId("only-errors"), arcs = byId("all-arcs"), colours = byId("theme"), contents = byId("open-contents");
    const articles = [...document.querySelectorAll("article")], blocks = [...document.querySelectorAll(".block")];
    const wrong = (nodes) => nodes.filter((node) => node.hasAttribute("data-errors")).length;
    const report = (on) => {
      byId("status").textContent = on
        ? `${wrong(blocks)} of ${blocks.length} lines in ${wrong(articles)} of ${articles.length} articles`
        : `${blocks.length} lines in ${articles.length} articles`;
    };
    const toggle = (button, name, inverse) => button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      document.body.classList.toggle(name, on !== inverse);
      if (button === only) report(on);
    });
    toggle(only, "only", false);
    toggle(arcs, "quiet", true);
    const name = () => { colours.querySelector("span").textContent = theme; };
    colours.addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      remember("theme", theme);
      setTheme();
      name();
    });
    const open = (on) => {
      contents.setAttribute("aria-expanded", String(on));
      byId("contents").classList.toggle("open", on);
    };
    contents.addEventListener("click", () => open(contents.getAttribute("aria-expanded") !== "true"));
    byId("contents").addEventListener("click", (event) => { if (event.target.closest("a")) open(false); });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") open(false); });
    name();
    report(false);
    byId("tools").hidden = false;
  }

  /* the contents show which article is being read */
  function watchPlace() {
    const links = new Map();
    for (const link of document.querySelectorAll("#contents a")) links.set(link.hash.slice(1), link);
    let current = null;
    const nav = byId("contents");
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const link = links.get(entry.target.closest("[id]").id);
        if (!entry.isIntersecting || !link || link === current) continue;
        current?.removeAttribute("aria-current");
        link.setAttribute("aria-current", "true");
        current = link;
        const above = link.offsetTop - nav.scrollTop;
        if (above < 0 || above > nav.clientHeight - 40) nav.scrollTop = link.offsetTop - nav.clientHeight / 3;
      }
    }, { rootMargin: "-15% 0px -80% 0px" });
    for (const place of document.querySelectorAll("article, #glance, #reading, .run > :not(article):not([id])")) observer.observe(place);
  }

  document.addEventListener("DOMContentLoaded", () => {
    watchTools();
    watchArcs();
    watchSpans();
    watchPlace();
  });
})();
