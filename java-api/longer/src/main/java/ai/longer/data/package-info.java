/**
 * What models read: columnar histories and candidates, requests, and where requests come from.
 *
 * <p>Ids are 64-bit numbers, times are epoch seconds. Classes here are plain Java: none loads the
 * native library.
 */
@NullMarked
package ai.longer.data;

import org.jspecify.annotations.NullMarked;
