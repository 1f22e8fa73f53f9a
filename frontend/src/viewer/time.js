// Time at work: seconds in which the page was looked at and somebody was there, told every half minute.
import { headers } from './headers.js'

const IDLE = 60
const EVERY = 30
const SIGNS = ['pointermove', 'pointerdown', 'wheel', 'keydown']

export function countTime (url, signal) {
  let seconds = 0
  let last = performance.now()
  const here = () => { last = performance.now() }
  const tell = () => {
    if (!seconds) return
    const body = new URLSearchParams({ seconds: String(seconds) })
    seconds = 0
    fetch(url, { method: 'POST', body, headers: headers(), credentials: 'same-origin', keepalive: true }).catch(() => {})
  }
  const clock = setInterval(() => {
    if (document.visibilityState === 'visible' && performance.now() - last < IDLE * 1000) seconds += 1
    if (seconds >= EVERY) tell()
  }, 1000)
  for (const name of SIGNS) document.addEventListener(name, here, { signal, passive: true, capture: true })
  addEventListener('pagehide', tell, { signal })
  signal.addEventListener('abort', () => {
    clearInterval(clock)
    tell()
  })
}
