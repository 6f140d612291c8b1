/** Whether a function is a class, which cannot be called. */
export function isClass(one: unknown): boolean {
  return typeof one === 'function' && /^class\b/.test(Function.prototype.toString.call(one));
}
