const no = () => { throw new Error('VTK XML is not written here') }
export const create = no
export const fragment = no
export const convert = no
export const builder = no
export default { create, fragment, convert, builder }
