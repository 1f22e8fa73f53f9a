// The judgement beside the pictures: which lesion is meant, and its answers by key. The server fills it anew after each answer.

const ROW = 'details[data-lesion]'

export class Panel extends EventTarget {
  constructor (signal) {
    super()
    document.addEventListener('toggle', (event) => {
      if (event.target.matches?.(ROW) && event.target.open) this.choose(event.target.dataset.lesion)
    }, { signal, capture: true })
    document.addEventListener('htmx:after:swap', () => this.#show(), { signal })
    this.lesion = this.rows.find((row) => row.open)?.dataset.lesion ?? ''
  }

  get rows () { return [...document.querySelectorAll(ROW)] }

  get row () { return this.rows.find((row) => row.dataset.lesion === this.lesion) }

  choose (lesion) {
    if (lesion === this.lesion) return
    this.lesion = lesion
    this.#show()
    this.dispatchEvent(new Event('change'))
  }

  /** The next lesion of the list, or the one before; round and round. */
  step (by) {
    const { rows } = this
    if (!rows.length) return
    const at = rows.indexOf(this.row)
    this.choose(rows.at((at < 0 ? 0 : at + by) % rows.length).dataset.lesion)
  }

  /** The so-manieth answer of the lesion that is meant. */
  answer (number) { this.row?.querySelectorAll('input[type="radio"]')[number - 1]?.click() }

  /** To the form that puts a lesion on the list, where there is one. */
  list () { document.querySelector('[data-choose]')?.focus() }

  sign () { document.querySelector('[data-sign]')?.click() }

  #show () {
    for (const row of this.rows) row.open = row.dataset.lesion === this.lesion
    this.row?.scrollIntoView({ block: 'nearest' })
  }
}
