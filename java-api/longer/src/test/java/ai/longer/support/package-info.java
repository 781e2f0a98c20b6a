/** What tests share. */
@NullMarked
package ai.longer.support;

import org.jspecify.annotations.NullMarked;
