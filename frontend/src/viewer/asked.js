// What the page asks the server of images. Of the next case it is asked before its page is there.
const early = new Map()
const asked = (url) => fetch(url, { headers: { Accept: 'application/json' }, credentials: 'same-origin' })

/** Ask before anybody needs the answer. */
export function askEarly (url) {
  const answer = asked(url)
  answer.catch(() => {}) // said where it is needed
  early.set(url, answer)
}

/** The answer of the server; the one that was asked for early, once. */
export function ask (url) {
  const answer = early.get(url)
  early.delete(url)
  return answer ?? asked(url)
}
