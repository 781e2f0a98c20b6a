package ai.longer.data;

/**
 * What separates lists in a field of CSV.
 *
 * @param elements stands between the elements of a list
 * @param values stands between the values of a many-valued field or element
 */
record ListSeparators(char elements, char values) {}
