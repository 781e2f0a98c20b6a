package ai.longer.torch;

import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;

/**
 * A network of one's own over LONGER's inputs, to compare with; {@link SequenceModel} trains it.
 *
 * <p>Parameters named {@code ….qkv.weight}, {@code ….out.weight}, {@code ….fc1.weight}, {@code
 * ….fc2.weight} and {@code global.<token>.weight} are linear maps [out, in]: they start from N(0,
 * 1/in) and decay. Other matrices start from N(0, 0.05²), other weights from 1, biases from 0.
 */
public interface SequenceNetwork {
  /** Returns names and shapes of the parameters, the embedding tables apart. */
  Map<String, long[]> parameters();

  /**
   * Returns the logits of every candidate, [B, C, tasks]; of pad candidates whatever it likes.
   *
   * @param weights the parameters by name
   */
  Tensor logits(SequenceInputs inputs, Function<String, Tensor> weights);
}
