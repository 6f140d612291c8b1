/** An actor that does nothing. */
export default {};
