package ai.longer.internal;

import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_trainer_options;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;

/** Reads the native core's default options through the generated bindings. */
public final class TrainerDefaults {
  private TrainerDefaults() {}

  /** In the order of the struct. */
  public static double[] ofTheNativeCore() {
    NativeLibrary.load();
    ByteBuffer memory = Memory.allocate(128);
    longer_trainer_options options = new longer_trainer_options(new Pointer(memory));
    LongerC.longer_trainer_options_default(options);
    return new double[] {
      options.learning_rate(),
      options.table_learning_rate(),
      options.beta1(),
      options.beta2(),
      options.epsilon(),
      options.weight_decay(),
      options.table_epsilon(),
      options.clip_norm(),
      options.warmup_steps(),
      options.decay_steps(),
      options.decay_floor(),
      options.seed(),
      options.recomputation(),
      options.nonfinite(),
      options.precision()
    };
  }
}
