// One line that comes up at the foot of the page, for what has no place of its own.

const region = () => {
  let element = document.getElementById('notices')
  if (!element) {
    element = document.createElement('div')
    element.id = 'notices'
    element.setAttribute('role', 'alert')
    document.body.append(element)
  }
  return element
}

/** Show a sentence until it is closed, or until the next one. */
export function notice (sentence, tone = 'info') {
  const box = document.createElement('div')
  box.className = `message ${tone}`
  const text = document.createElement('p')
  text.textContent = sentence
  const close = document.createElement('button')
  close.type = 'button'
  close.className = 'button small'
  close.textContent = 'Close'
  close.addEventListener('click', () => box.remove())
  box.append(text, close)
  region().replaceChildren(box)
}

/** Say something politely to a screen reader. */
export function say (sentence) {
  const live = document.getElementById('live')
  if (live) live.textContent = sentence
}
