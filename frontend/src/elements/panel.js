// The panel beside a form: everything of the field that has the focus.
import htmx from '../htmx.js'
import { goTo } from './row.js'

const REST = 200

export class Panel {
  constructor (form) { this.form = form }

  get place () { return this.form.dataset.panel && document.querySelector(this.form.dataset.panel) }

  /** Whether the focus is in it. */
  get hasFocus () { return Boolean(this.place?.contains(document.activeElement)) }

  /** A row got the focus: its panel is loaded when the focus rests there. */
  follow (row) {
    if (row === this.row || !row.dataset.panelUrl || !this.place) return
    this.row = row
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.#load(), REST)
  }

  #load () {
    clearTimeout(this.timer)
    this.timer = null
    const target = this.place
    target.addEventListener('htmx:error', this.#failed)
    this.loading = htmx.ajax('GET', this.row.dataset.panelUrl, { source: target, target, swap: 'innerHTML' })
    return this.loading
  }

  /** The field before must not stay in the panel, where a query would be asked about it. */
  #failed = (event) => {
    event.stopPropagation()
    const words = document.createElement('p')
    words.className = 'hint'
    words.textContent = 'No connection. Its history and queries are shown when you come to this field again.'
    this.place.replaceChildren(words)
    this.row = null
  }

  /** Go into the panel of the field that has the focus: what is pressed there never means the field before. */
  async enter () {
    if (!this.row) return
    await (this.timer ? this.#load() : this.loading)
    this.place.querySelector('a[href], button, textarea, input, select')?.focus()
  }

  /** Go back into the field. */
  leave () { goTo(this.row) }
}
