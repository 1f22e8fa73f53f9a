// Measuring without a mouse: a cross that the arrow keys move, Enter sets a point, Esc gives up.

export class Pointer {
  constructor (view, wanted, done) {
    Object.assign(this, { view, wanted, done, points: [] })
    const { clientWidth, clientHeight } = view.element
    this.at = [clientWidth / 2, clientHeight / 2]
    this.cross = document.createElement('span')
    this.cross.className = 'viewer-cross'
    view.element.append(this.cross)
    this.live = true
    this.#move(0, 0)
  }

  /** True when the key belonged to the cross. */
  key (event) {
    if (!this.live) return false
    const step = event.shiftKey ? 10 : 1
    const moves = { ArrowUp: [0, -step], ArrowDown: [0, step], ArrowLeft: [-step, 0], ArrowRight: [step, 0] }
    if (event.key in moves) this.#move(...moves[event.key])
    else if (event.key === 'Enter') this.#set()
    else if (event.key === 'Escape') this.stop()
    else return false
    event.preventDefault()
    return true
  }

  #move (x, y) {
    const { clientWidth, clientHeight } = this.view.element
    this.at = [Math.min(Math.max(this.at[0] + x, 0), clientWidth), Math.min(Math.max(this.at[1] + y, 0), clientHeight)]
    this.cross.style.translate = `${this.at[0]}px ${this.at[1]}px`
  }

  #set () {
    this.points.push([...this.view.viewport.canvasToWorld(this.at)])
    this.cross.dataset.points = `${this.points.length} of ${this.wanted}`
    if (this.points.length < this.wanted) return
    this.stop()
    this.done(this.points)
  }

  stop () {
    this.live = false
    this.cross.remove()
  }
}
