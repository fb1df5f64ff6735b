"""What a person in the last row cannot read on a slide, found in a real browser at 1280 x 720.

`LOOK` is a function of JavaScript from the slide's `<section>` to a list of sentences, one for each finding.
"""

BODY_PX, FOOT_PX = 24, 20

LOOK = """
(slide) => {
  const BODY = BODY_PX, FOOT = FOOT_PX, ROOM = 2;
  const found = new Set();
  const edge = slide.getBoundingClientRect();
  const short = text => text.trim().replace(/\\s+/g, " ").slice(0, 40);
  const outside = box => Math.round(Math.max(
    edge.left - box.left, box.right - edge.right, edge.top - box.top, box.bottom - edge.bottom));
  const shown = element => !element.closest("aside.notes") && element.checkVisibility();

  const heading = slide.querySelector("h1, h2");
  if (!heading || !heading.innerText.trim()) found.add("has no title");

  // boxes: what leaves the slide, what hides a part of itself
  for (const element of [slide, ...slide.querySelectorAll("*")]) {
    if (!shown(element)) continue;
    const box = element.getBoundingClientRect();
    const name = `${element.tagName} "${short(element.innerText ?? "")}"`;
    if (box.width && box.height && outside(box) > ROOM)
      found.add(`${name} leaves the slide by ${outside(box)} px`);
    const style = getComputedStyle(element);
    const hides = axis => style[`overflow${axis}`] !== "visible" || element === slide;
    if (hides("X") && element.scrollWidth > element.clientWidth + ROOM
        || hides("Y") && element.scrollHeight > element.clientHeight + ROOM)
      found.add(`${name} is cut off`);
    if (style.textOverflow === "ellipsis" && element.scrollWidth > element.clientWidth)
      found.add(`"${short(element.innerText)}" ends in dots`);
  }

  // words and pictures: large enough, and none on top of another
  const pieces = [];
  const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const held = node.parentElement;
    if (!node.data.trim() || !shown(held)) continue;
    const least = held.closest(".sources") ? FOOT : BODY;
    const size = parseFloat(getComputedStyle(held).fontSize);
    if (size < least) found.add(`"${short(node.data)}" is ${size} px high, at least ${least} are needed`);
    const block = held.closest("p, li, td, th, pre, h1, h2, h3, div");
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const line of range.getClientRects()) {
      if (outside(line) > ROOM) found.add(`"${short(node.data)}" leaves the slide by ${outside(line)} px`);
      pieces.push([block, line, short(node.data)]);
    }
  }
  for (const image of slide.querySelectorAll("img")) {
    const name = image.getAttribute("src");
    if (!image.alt.trim()) found.add(`the picture ${name} has no alt text`);
    if (!image.complete || !image.naturalWidth) found.add(`the picture ${name} is not there`);
    pieces.push([image, image.getBoundingClientRect(), `picture ${image.alt}`.slice(0, 40)]);
  }
  const number = document.querySelector(".slide-number");
  if (number?.checkVisibility()) pieces.push([number, number.getBoundingClientRect(), "the slide's number"]);
  for (let i = 0; i < pieces.length; i++)
    for (let j = i + 1; j < pieces.length; j++) {
      const [one, a, first] = pieces[i], [other, b, second] = pieces[j];
      if (one === other || one.contains(other) || other.contains(one)) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > ROOM && down > ROOM + 2) found.add(`"${first}" and "${second}" overlap`);
    }
  return [...found];
}
""".replace("BODY_PX", str(BODY_PX)).replace("FOOT_PX", str(FOOT_PX))

AXE = """
(slide) => axe.run(slide, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], preload: false})
  .then(({violations, incomplete}) => {
    const undecided = incomplete.filter(one => one.id === "color-contrast");
    const told = (one, word) => `${one.id}: ${word}${one.help} (`
      + one.nodes.slice(0, 3).map(node => node.target.join(" ")).join(", ") + ")";
    return [...violations.map(one => told(one, "")), ...undecided.map(one => told(one, "cannot decide: "))];
  })
"""
