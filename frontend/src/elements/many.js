// Many fields at once: one reason for all that is left, taken back by one click; values of the visit before, to be confirmed one by one.
import { sentenceOf } from '../htmx.js'
import { notice } from '../notice.js'
import { token } from '../token.js'
import { goTo } from './row.js'

async function ask (url, body = null) {
  const answer = await fetch(url, {
    method: body ? 'POST' : 'GET',
    body,
    headers: { ...(body && { 'X-CSRFToken': token() }), Accept: 'text/html', 'HX-Request': 'true' },
    credentials: 'same-origin',
  }).catch(() => null)
  if (!answer) notice('No connection. Nothing was changed; try again.', 'stop')
  else if (answer.redirected) notice('You are signed out. Nothing was changed.', 'stop')
  else if (!answer.ok) notice(sentenceOf(await answer.text(), answer.status), 'stop')
  else return answer.json()
  return null
}

function say (form, words, undo) {
  const slot = form.querySelector('.done-slot')
  slot.replaceChildren()
  if (!words) return
  const line = document.createElement('p')
  line.textContent = words
  slot.append(line)
  if (!undo?.length) return
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'button small'
  button.textContent = 'Take it back'
  button.addEventListener('click', () => takeBack(form, undo))
  slot.append(button)
  button.focus()
}

function show (form, answer) {
  if (!answer) return
  if (answer.rows) form.received(answer)
  say(form, answer.said, answer.undo)
}

/** One reason for everything that is still open in the form or in one part of it. */
export async function leaveBlank (form, chosen) {
  if (!await form.flush()) {
    notice('Something that you typed is not saved yet. Save or correct it first.', 'stop')
    return
  }
  show(form, await ask(form.dataset.blankUrl, new URLSearchParams(chosen)))
}

async function takeBack (form, items) {
  const body = new URLSearchParams()
  for (const item of items) body.append('item', item)
  const answer = await ask(`${form.dataset.blankUrl}undo/`, body)
  show(form, answer)
  if (answer) goTo(form.querySelector(`[data-item="${CSS.escape(items[0])}"]`))
}

/** Show what the visit before holds beside the fields that are empty. */
export async function showEarlier (form) {
  if (!await form.flush()) return
  const answer = await ask(form.dataset.earlierUrl)
  show(form, answer)
  if (answer?.proposed) goTo(form.querySelector(`[data-item="${CSS.escape(answer.proposed[0])}"]`))
}
