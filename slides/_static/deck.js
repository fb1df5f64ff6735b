// The deck is shown in its own size, 1280 x 720, and scaled to the screen. Keys: arrows, F full screen, S notes, ? all keys.
Reveal.initialize({
  hash: true,
  width: 1280,
  height: 720,
  margin: 0,
  center: false,
  transition: "none",
  backgroundTransition: "none",
  slideNumber: "c/t",
  controls: false,
  scrollActivationWidth: null,
  plugins: [RevealNotes],
});
