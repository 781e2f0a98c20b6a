import org.jspecify.annotations.NullMarked;

/** Trains and serves LONGER, a ranking model over long user histories, inside the JVM. */
@NullMarked
module ai.longer {
  requires static org.jspecify;
  requires ai.longer.natives;
  requires org.bytedeco.javacpp;
  requires org.slf4j;

  exports ai.longer;
  exports ai.longer.data;
  exports ai.longer.evaluation;
  exports ai.longer.serving;
  exports ai.longer.training;

  uses ai.longer.data.RowFormat;
  uses ai.longer.internal.natives.NativeJar;
}
