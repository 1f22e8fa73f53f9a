// A <details> that behaves like a menu: closes on Esc and outside, arrow keys walk through it.

class Menu extends HTMLElement {
  connectedCallback () {
    this.details = this.querySelector('details')
    if (!this.details || this.ready) return
    this.ready = true
    this.addEventListener('keydown', (event) => this.#key(event))
    this.addEventListener('focusout', (event) => { if (event.relatedTarget && !this.contains(event.relatedTarget)) this.close() })
  }

  get items () { return [...this.details.querySelectorAll('.menu a[href], .menu button')].filter((item) => item.offsetParent) }

  close () { this.details.open = false }

  #key (event) {
    if (event.key === 'Escape' && this.details.open) {
      event.preventDefault()
      event.stopPropagation()
      this.close()
      this.details.querySelector('summary').focus()
      return
    }
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    event.preventDefault()
    this.details.open = true
    const { items } = this
    const step = event.key === 'ArrowDown' ? 1 : -1
    const now = items.indexOf(document.activeElement)
    const next = now < 0 ? (step > 0 ? 0 : items.length - 1) : (now + step + items.length) % items.length
    items[next]?.focus()
  }
}

document.addEventListener('pointerdown', (event) => {
  for (const menu of document.querySelectorAll('edc-menu')) {
    if (!menu.contains(event.target)) menu.close?.()
  }
})

customElements.define('edc-menu', Menu)
