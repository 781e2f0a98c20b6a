/**
 * LONGER written once more on PyTorch's C++ library: an independent oracle for the SDK's numbers
 * and its peer in benchmarks. {@link ai.longer.torch.TorchDict} brings in what Python saved.
 */
@NullMarked
package ai.longer.torch;

import org.jspecify.annotations.NullMarked;
