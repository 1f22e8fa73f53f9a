// What each key does on the reading desk, in the words of the list of keys as well.

const JUMP = 10
const TOOLS = { l: 'length', b: 'bidirectional', w: 'window', p: 'pan', z: 'zoom', Escape: 'window' }
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }

export const KEYS = [
  ['N', 'Next lesion, in all pictures; Shift + N the one before'],
  ['A', 'List a lesion, at the first time point where you make the list'],
  ['L   B', 'Length; two diameters'],
  ['C', 'Take the earlier measure, which is dashed; then move its ends'],
  ['Shift + number', 'Answers of the lesion, as numbered beside the pictures'],
  ['Ctrl + Enter', 'Sign, and read the next case'],
  ['↑ ↓', 'Slice; Page Up, Page Down ten; Home, End the first and the last; the wheel does the same'],
  ['1 to 4   0', 'Liver, soft tissue, lung, bone; window of the header'],
  ['Shift + arrows', 'Window: up and down level, left and right width'],
  ['Ctrl + arrows   + −', 'Pan; zoom; R fits'],
  ['K   V   X', 'Link the scrolling; one picture or two; go to the other picture'],
  ['H', 'Hide the marks, show them again'],
  ['Delete', 'Take away the mark that is chosen'],
  ['Enter', 'With L or B: a cross that the arrows move; Enter sets each point, Esc gives up'],
]

/** What a key does now, or null. */
export function actionOf (desk, event) {
  const { active, host, panel } = desk
  const { key, code } = event
  const inPicture = active.element.contains(event.target) || event.target === document.body
  if (event.ctrlKey) return key === 'Enter' ? () => panel.sign() : key in ARROWS && inPicture ? () => active.panBy(-ARROWS[key][0] * 20, -ARROWS[key][1] * 20) : null
  if (event.shiftKey && /^Digit[1-9]$/.test(code)) return () => panel.answer(Number(code.slice(5)))
  const letter = key.length === 1 ? key.toLowerCase() : key
  const anywhere = {
    n: () => panel.step(event.shiftKey ? -1 : 1),
    c: () => desk.takeProposal(),
    h: () => host.toggleMarks(),
    v: () => host.toggleOne(),
    k: () => host.toggleLink(),
    a: () => panel.list(),
    x: () => desk.turn(),
    r: () => active.reset(),
    '?': () => host.showKeys(),
  }
  if (letter in anywhere) return anywhere[letter]
  if (letter in TOOLS) return () => desk.use(TOOLS[letter])
  if (/^[0-4]$/.test(key)) return () => desk.preset(key)
  return inPicture ? inThePicture(desk, event) : null
}

/** Keys that mean something else outside of the picture. */
function inThePicture (desk, { key, shiftKey }) {
  const { active } = desk
  if (key in ARROWS) {
    const [x, y] = ARROWS[key]
    return shiftKey ? () => active.shiftWindow(-y * 10, x * 20) : () => active.goTo(active.index + (y || x))
  }
  const others = {
    PageUp: () => active.goTo(active.index - JUMP),
    PageDown: () => active.goTo(active.index + JUMP),
    Home: () => active.goTo(0),
    End: () => active.goTo(active.count - 1),
    '+': () => active.zoomBy(1.2),
    '-': () => active.zoomBy(1 / 1.2),
    Enter: () => desk.startPointer(),
    Delete: () => desk.removeSelected(),
  }
  return others[key] ?? null
}
