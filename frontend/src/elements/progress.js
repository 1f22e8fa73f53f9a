// Work in the background: asks an address for its state until it is done.

class Progress extends HTMLElement {
  connectedCallback () {
    this.pause = Number(this.dataset.every ?? 1500)
    this.#ask()
  }

  disconnectedCallback () { clearTimeout(this.timer) }

  async #ask () {
    try {
      const answer = await fetch(this.dataset.url, { headers: { Accept: 'application/json' }, credentials: 'same-origin' })
      if (answer.ok) {
        const state = await answer.json()
        this.#show(state)
        if (state.state === 'done' || state.state === 'failed') return this.#end(state)
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
    this.timer = setTimeout(() => this.#ask(), this.pause)
    this.pause = Math.min(this.pause * 1.3, 8000)
  }

  #show ({ done, total, text }) {
    const bar = this.querySelector('progress')
    if (bar && total) {
      bar.max = total
      bar.value = done ?? 0
    }
    const words = this.querySelector('[data-text]')
    if (words && text) words.textContent = text
  }

  #end (state) {
    const bar = this.querySelector('progress')
    bar?.classList.add(state.state === 'done' ? 'ok' : 'stop')
    if (bar && state.state === 'done') bar.value = bar.max
    this.dispatchEvent(new CustomEvent('edc:done', { bubbles: true, detail: state }))
    if (state.state === 'done' && state.redirect) location.assign(state.redirect)
  }
}

customElements.define('edc-progress', Progress)
