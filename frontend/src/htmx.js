// htmx with our three house rules: every request carries the CSRF token, a 428 answer is a dialog, a refusal is said aloud.
import htmx from 'htmx.org'
import { notice } from './notice.js'
import { token } from './token.js'

window.htmx = htmx

export { token }

document.addEventListener('htmx:config:request', (event) => {
  event.detail.ctx.request.headers['X-CSRFToken'] = token()
})

const statusOf = (element, status) => element.hasAttribute(`hx-status:${status}`) || element.hasAttribute(`data-hx-status:${status}`)

document.addEventListener('htmx:response:error', (event) => {
  const { ctx } = event.detail
  const { status } = ctx.response
  if (statusOf(ctx.sourceElement, status)) return
  if (status === 428) showDialog(ctx.text, ctx.sourceElement)
  else notice(sentenceOf(ctx.text, status), 'stop')
})

document.addEventListener('htmx:error', (event) => {
  if (event.detail.error?.name !== 'AbortError') notice('No connection. Nothing was changed; try again.', 'stop')
})

/** Put a dialog of the server into the page; it opens itself. */
export function showDialog (text, sourceElement = document.body) {
  return htmx.swap({ text, target: '#dialogs', swap: 'innerHTML', sourceElement })
}

/** The sentence of a problem answer: a fragment of ours, or a plain word for anything else. */
export function sentenceOf (text, status) {
  const page = new DOMParser().parseFromString(text, 'text/html')
  const said = page.querySelector('[role="alert"], .message p, main h1 + p')?.textContent.trim()
  if (said) return said
  if (status === 403) return 'You may not do this, or you are signed out. Load the page again.'
  if (status === 404) return 'This is not here any more. Load the page again.'
  return 'This did not work. Nothing was changed. Try again, or tell the help desk.'
}

export default htmx
