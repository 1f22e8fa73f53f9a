// One line says how a form stands: never "saved" before the server has taken everything.

const clock = (when) => [when.getHours(), when.getMinutes(), when.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':')

const SIGNED_OUT = 'You are signed out. Sign in again in another tab; what you typed stays here.'
const KEPT = 'You are signed out. What you typed is kept for you, and offered here when you come back.'
const SIGN_IN = 'Sign in again'

function stateOf (form) {
  const count = new Set([...form.waiting.keys(), ...(form.sending ? [form.sending.row] : [])]).size
  const changes = `${count} change${count === 1 ? '' : 's'}`
  const open = [...form.open.values()]
  const refused = open.filter((one) => one.refused)
  if (form.asking) return ['attention', 'Waiting for a reason']
  if (form.unsaved && form.keptForLater) return ['stop', KEPT]
  if (form.stuck === 'signed-out') return ['stop', count ? `Not saved: ${changes}. ${SIGNED_OUT}` : SIGNED_OUT]
  if (form.stuck || (form.busy && form.inVain)) return ['attention', `Not saved: ${changes}. Trying again`]
  if (refused.length < open.length) return ['stop', 'Someone else changed this']
  if (refused.length > 1) return ['stop', `${refused.length} fields were not accepted`]
  if (refused.length) return ['stop', refused[0].sentence ?? '1 field was not accepted']
  if (form.slow) return ['info', 'Saving…']
  if (form.unsaved) return ['', 'Not saved yet']
  if (form.savedAt) return ['ok', 'All changes saved', clock(form.savedAt)]
  return ['', '']
}

/** Write the line, if it says something else than before. */
export function sayState (form) {
  const [tone, words, time = ''] = stateOf(form)
  const line = form.querySelector('.save-state')
  const whole = [words, time].filter(Boolean).join(' ')
  if (!line || line.textContent === whole || line.textContent === `${whole} ${SIGN_IN}`) return
  line.className = `save-state ${tone}`
  line.textContent = words
  if (words === KEPT) line.append(' ', signIn())
  if (!time) return
  const stamp = document.createElement('time')
  stamp.textContent = time
  line.append(' ', stamp)
}

/** To this page again, which asks for the password first. */
function signIn () {
  const link = document.createElement('a')
  link.href = location.href
  link.textContent = SIGN_IN
  return link
}
