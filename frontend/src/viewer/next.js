// From one case to the next without leaving the page: Cornerstone stays, and so do the pictures that were fetched ahead.

async function changeTo (url) {
  const answer = await fetch(url, { credentials: 'same-origin', headers: { Accept: 'text/html' } })
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const body = page.querySelector('.page')
  if (!answer.ok || answer.redirected || !body?.querySelector('edc-viewer')) {
    location.assign(url)
    return
  }
  history.pushState({ case: true }, '', url)
  document.title = page.title
  document.getElementById('dialogs').replaceChildren()
  document.querySelector('.page').replaceWith(document.adoptNode(body))
  window.htmx.process(body)
  document.getElementById('live').textContent = document.querySelector('h1').textContent
}

document.addEventListener('edc:next-case', (event) => {
  const { url } = event.detail
  performance.mark('to the next case')
  changeTo(url).catch(() => location.assign(url))
})
addEventListener('popstate', () => location.reload())
