/** Behind the public API: the only package that touches the native bindings. */
@NullMarked
package ai.longer.internal;

import org.jspecify.annotations.NullMarked;
