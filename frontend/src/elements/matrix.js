// The casebook matrix: one tab stop, arrow keys, a line that describes the cell, and the legend as a filter.

const RESTING = 'Point at a cell, or move with the arrow keys, to read its state here.'

class Matrix extends HTMLElement {
  connectedCallback () {
    this.table = this.querySelector('table.matrix')
    this.line = this.querySelector('.matrix-describe')
    if (!this.table || this.ready) return
    this.ready = true
    this.#oneTabStop()
    this.#showNow()
    this.table.addEventListener('keydown', (event) => this.#key(event))
    this.table.addEventListener('focusin', (event) => this.#focused(event.target))
    this.table.addEventListener('pointerover', (event) => this.#describe(event.target.closest('td > a, td > button')))
    this.table.addEventListener('pointerleave', () => this.#describe(document.activeElement.closest?.('td > a, td > button')))
    this.addEventListener('click', (event) => {
      const button = event.target.closest('[data-filter]')
      if (button) this.#filter(button)
    })
  }

  get cells () { return [...this.table.querySelectorAll('td > a, td > button')] }

  #oneTabStop () {
    const { cells } = this
    const current = this.table.querySelector('td.now > a, td.now > button') ?? cells[0]
    for (const cell of cells) cell.tabIndex = cell === current ? 0 : -1
    this.stop = current
  }

  /** A long schedule opens at the visit of today. */
  #showNow () {
    const wrap = this.table.parentElement
    const head = this.table.tHead
    const now = head?.querySelector('th.now') ?? head?.querySelector('th.due') ?? head?.querySelector('th.future')
    if (!now || wrap.scrollWidth <= wrap.clientWidth) return
    const place = now.getBoundingClientRect()
    const room = wrap.getBoundingClientRect()
    if (place.right > room.right - 80) wrap.scrollLeft += place.right - room.right + room.width / 3
  }

  #focused (cell) {
    if (!cell.matches('td > a, td > button')) return
    if (this.stop) this.stop.tabIndex = -1
    cell.tabIndex = 0
    this.stop = cell
    this.#describe(cell)
  }

  #describe (cell) {
    if (this.line) this.line.textContent = cell ? cell.getAttribute('aria-label') ?? cell.textContent : this.line.dataset.resting ?? RESTING
  }

  #key (event) {
    const cell = event.target.closest('td > a, td > button')
    if (!cell || event.altKey || event.metaKey) return
    const next = this.#towards(cell.parentElement, event)
    if (!next) return
    event.preventDefault()
    next.focus()
    next.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }

  #towards (td, event) {
    const rows = [...this.table.tBodies].flatMap((body) => [...body.rows])
    const row = rows.indexOf(td.parentElement)
    const column = td.cellIndex
    const flip = getComputedStyle(this).direction === 'rtl' ? -1 : 1
    const inCell = (r, c) => rows[r]?.cells[c]?.querySelector(':scope > a, :scope > button')
    const walk = (r, c, dr, dc) => {
      for (let n = 1; n < 400; n += 1) {
        const [y, x] = [r + dr * n, c + dc * n]
        if (y < 0 || x < 1 || y >= rows.length || x >= Math.max(rows[y].cells.length, column + 1)) return null
        const found = inCell(y, x)
        if (found) return found
      }
      return null
    }
    switch (event.key) {
      case 'ArrowRight': return walk(row, column, 0, flip)
      case 'ArrowLeft': return walk(row, column, 0, -flip)
      case 'ArrowDown': return walk(row, column, 1, 0)
      case 'ArrowUp': return walk(row, column, -1, 0)
      case 'Home': return event.ctrlKey ? this.cells[0] : walk(row, 0, 0, 1)
      case 'End': return event.ctrlKey ? this.cells.at(-1) : walk(row, rows[row].cells.length, 0, -1)
      default: return null
    }
  }

  #filter (button) {
    const on = button.getAttribute('aria-pressed') !== 'true'
    for (const other of this.querySelectorAll('[data-filter]')) other.setAttribute('aria-pressed', String(on && other === button))
    const word = button.dataset.filter
    this.table.classList.toggle('filtered', on)
    for (const cell of this.cells) cell.classList.toggle('match', on && (cell.dataset.state ?? '').split(' ').includes(word))
    this.#filterPhone(on ? word : '')
  }

  #filterPhone (word) {
    for (const item of this.querySelectorAll('.visits li')) {
      const link = item.querySelector('[data-state]')
      item.hidden = Boolean(word) && !(link?.dataset.state ?? '').split(' ').includes(word)
    }
  }
}

customElements.define('edc-matrix', Matrix)
