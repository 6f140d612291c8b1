/** An actor that has built-in commands alone. */
export default {};
