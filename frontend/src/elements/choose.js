// A list in which things are ticked: a button ticks all of a group, or none; the button that acts says how many are ticked.

class Choose extends HTMLElement {
  connectedCallback () {
    if (this.ready) return
    this.ready = true
    this.addEventListener('click', (event) => this.#group(event.target.closest('[data-choose]')))
    this.addEventListener('change', () => this.#count())
    this.#count()
  }

  #boxes (within = this) { return [...within.querySelectorAll('input[type="checkbox"]')] }

  #group (button) {
    if (!button) return
    const boxes = this.#boxes(this.querySelector(button.dataset.choose))
    const all = boxes.every((box) => box.checked)
    for (const box of boxes) box.checked = !all
    this.#count()
  }

  #count () {
    const words = document.querySelector(this.dataset.button)?.querySelector('[data-words]')
    if (!words) return
    const number = this.#boxes().filter((box) => box.checked).length
    words.textContent = number ? `${words.dataset.words} ${number} record${number === 1 ? '' : 's'}` : words.dataset.words
  }
}

customElements.define('edc-choose', Choose)
