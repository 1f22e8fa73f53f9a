// A native <dialog>. A digit chooses among its answers, as in a form. With `open-now` it opens when the server puts it into the page, and leaves the page when it closes.
import { optionOf } from './keys.js'

const FIRST = '[autofocus], input:not([type="hidden"], [readonly], [disabled]), select, textarea, .dialog-foot .button'

class Dialog extends HTMLElement {
  connectedCallback () {
    this.dialog = this.querySelector('dialog')
    if (!this.dialog || this.ready) return
    this.ready = true
    this.cameFrom = document.activeElement
    this.dialog.addEventListener('close', () => this.#closed())
    this.addEventListener('click', (event) => { if (event.target.closest('[data-close]')) this.dialog.close('') })
    this.addEventListener('change', () => this.#needText())
    this.addEventListener('keydown', (event) => this.#choose(event))
    if (this.hasAttribute('open-now')) this.open()
  }

  open () {
    this.cameFrom = document.activeElement
    this.dialog.showModal()
    this.dialog.querySelector(FIRST)?.focus()
  }

  #choose (event) {
    const { target, key } = event
    if (target.type !== 'radio' || !/^[1-9]$/.test(key) || event.ctrlKey || event.altKey || event.metaKey) return
    const chosen = optionOf([...this.querySelectorAll(`input[type="radio"][name="${CSS.escape(target.name)}"]`)], key)
    if (!chosen) return
    event.preventDefault()
    chosen.focus()
    chosen.click()
  }

  /** "Other" needs a sentence. */
  #needText () {
    const text = this.querySelector('textarea[name="reason_text"]')
    if (text) text.required = Boolean(this.querySelector('[data-needs-text]:checked'))
  }

  #closed () {
    if (this.cameFrom?.isConnected) this.cameFrom.focus?.()
    this.dispatchEvent(new CustomEvent('edc:closed', { bubbles: true, detail: { answer: this.dialog.returnValue } }))
    if (this.hasAttribute('open-now')) this.remove()
  }
}

customElements.define('edc-dialog', Dialog)
