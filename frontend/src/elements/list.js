// A work list or a table of rows: j, k and the arrow keys move from line to line while the focus is in it; Enter follows
// the link; x chooses the line where lines can be chosen; n adds a row where rows can be added.

const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }

class List extends HTMLElement {
  connectedCallback () {
    if (this.ready) return
    this.ready = true
    this.addEventListener('keydown', (event) => this.#key(event))
    if (document.activeElement === document.body && !location.hash && matchMedia('(min-width: 761px)').matches) {
      (this.items[0] ?? this.adding)?.focus({ preventScroll: true })
    }
  }

  get items () { return [...this.querySelectorAll('a.item, a[data-line]')] }

  get adding () { return this.querySelector('[data-add]') }

  #key (event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    if (event.key === 'n' && this.adding) {
      event.preventDefault()
      this.adding.click()
    }
    const { items } = this
    const now = items.indexOf(event.target.closest('a.item, a[data-line]'))
    if (now < 0) return
    if (event.key === 'x') items[now].closest('li').querySelector('input[type="checkbox"]')?.click()
    const goal = event.key === 'Home' ? 0 : event.key === 'End' ? items.length - 1 : now + (STEPS[event.key] ?? 0)
    if (goal === now || !items[goal]) return
    event.preventDefault()
    items[goal].focus()
    items[goal].scrollIntoView({ block: 'nearest' })
  }
}

customElements.define('edc-list', List)
