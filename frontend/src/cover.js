// Areas of a picture that are covered before it is kept: drawn with the mouse, or typed as pixels.
const SVG = 'http://www.w3.org/2000/svg'
const EDGES = ['left', 'top', 'right', 'bottom']

class Cover extends HTMLElement {
  connectedCallback () {
    if (this.drawing) return
    this.drawing = this.querySelector('svg')
    this.list = this.querySelector('.areas')
    this.form = this.querySelector('form')
    this.addEventListener('input', (event) => { if (event.target.closest('.area')) this.#draw() })
    this.addEventListener('click', (event) => {
      if (event.target.closest('[data-add]')) this.#added({ left: 0, top: 0, right: 60, bottom: 20 })
      if (event.target.closest('[data-remove]')) this.#remove(event.target.closest('.area'))
    })
    this.querySelector('[data-slice]')?.addEventListener('input', (event) => this.#turn(event.target))
    this.drawing.addEventListener('pointerdown', (event) => this.#start(event))
    this.form.addEventListener('formdata', (event) => this.#areas().forEach((area) => {
      event.formData.append('area', EDGES.map((edge) => area[edge]).join(','))
    }))
    this.#draw()
  }

  get #width () { return this.drawing.viewBox.baseVal.width }
  get #height () { return this.drawing.viewBox.baseVal.height }

  #areas () {
    return [...this.list.querySelectorAll('.area')].map((row) =>
      Object.fromEntries(EDGES.map((edge) => [edge, Number(row.querySelector(`[name="${edge}"]`).value)])))
  }

  #draw () {
    this.drawing.replaceChildren(...this.#areas().map((area) => this.#rectangle(area)))
    this.querySelector('[data-none]').hidden = this.list.children.length > 0
    this.querySelector('[data-cover]').disabled = !this.list.children.length
  }

  #rectangle (area) {
    const shape = document.createElementNS(SVG, 'rect')
    shape.setAttribute('x', area.left)
    shape.setAttribute('y', area.top)
    shape.setAttribute('width', Math.max(0, area.right - area.left))
    shape.setAttribute('height', Math.max(0, area.bottom - area.top))
    return shape
  }

  #added (area) {
    const row = this.querySelector('template').content.firstElementChild.cloneNode(true)
    EDGES.forEach((edge) => { row.querySelector(`[name="${edge}"]`).value = area[edge] })
    this.list.append(row)
    this.#draw()
    row.querySelector('input').focus()
    return row
  }

  #remove (row) {
    const next = row.nextElementSibling ?? row.previousElementSibling
    row.remove()
    this.#draw()
    ;(next?.querySelector('input') ?? this.querySelector('[data-add]')).focus()
  }

  /** The next picture of the series; the areas stay where they are. */
  #turn (slider) {
    const [name, number] = slider.dataset.pictures.split(' ')[slider.value - 1].split('|')
    this.querySelector('img').src = name
    this.querySelector('[data-which]').textContent = `Picture ${slider.value} of ${slider.max}, file ${number}`
  }

  #start (event) {
    if (event.button !== 0) return
    event.preventDefault()
    const from = this.#point(event)
    const shape = this.#rectangle({ left: 0, top: 0, right: 0, bottom: 0 })
    this.drawing.append(shape)
    this.drawing.setPointerCapture(event.pointerId)
    const area = (to) => ({
      left: Math.min(from.x, to.x), top: Math.min(from.y, to.y), right: Math.max(from.x, to.x), bottom: Math.max(from.y, to.y),
    })
    const move = (moved) => { const now = this.#rectangle(area(this.#point(moved))); for (const { name, value } of now.attributes) shape.setAttribute(name, value) }
    const stop = (ended) => {
      this.drawing.removeEventListener('pointermove', move)
      const drawn = area(this.#point(ended))
      if (drawn.right - drawn.left > 2 && drawn.bottom - drawn.top > 2) this.#added(drawn)
      else this.#draw()
    }
    this.drawing.addEventListener('pointermove', move)
    this.drawing.addEventListener('pointerup', stop, { once: true })
  }

  #point (event) {
    const place = this.drawing.getBoundingClientRect()
    const within = (value, most) => Math.round(Math.min(Math.max(value, 0), most))
    return {
      x: within((event.clientX - place.left) / place.width * this.#width, this.#width),
      y: within((event.clientY - place.top) / place.height * this.#height, this.#height),
    }
  }
}

customElements.define('edc-cover', Cover)
