/** Serving: scores for candidates, with cached user keys and values. */
@NullMarked
package ai.longer.serving;

import org.jspecify.annotations.NullMarked;
