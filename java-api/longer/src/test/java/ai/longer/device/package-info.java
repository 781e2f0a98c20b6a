/** The SDK on an NVIDIA GPU, and its natives for one where there is none. */
@NullMarked
package ai.longer.device;

import org.jspecify.annotations.NullMarked;
