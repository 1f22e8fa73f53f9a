import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const file = (path) => fileURLToPath(new URL(path, import.meta.url))

// One line of Cornerstone writes a style attribute, which our policy refuses; the same through the style object is allowed.
const styleByObject = {
  name: 'style-by-object',
  transform (code, id) {
    if (!id.endsWith('/drawingSvg/drawTextBox.js')) return null
    const line = "textElement.setAttribute('style', combinedStyle)"
    if (!code.includes(line)) throw new Error('drawTextBox.js has changed: look again at how it sets its style')
    return { code: code.replace(line, 'textElement.style.cssText = combinedStyle'), map: null }
  },
}

export default defineConfig({
  plugins: [styleByObject],
  base: './',
  publicDir: false,
  worker: { format: 'es' },
  resolve: {
    // vtk.js drags in an XML writer that extends a class of Node and dies in a browser; we never write VTK XML.
    alias: { xmlbuilder2: file('src/viewer/no-xml.js') },
  },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    manifest: 'manifest.json',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssTarget: ['chrome111', 'firefox115', 'safari15.4'],
    chunkSizeWarningLimit: 5000,
    rollupOptions: {
      input: { app: file('src/app.js'), viewer: file('src/viewer.js'), upload: file('src/upload.js'), cover: file('src/cover.js'), epro: file('src/epro.js') },
    },
  },
})
