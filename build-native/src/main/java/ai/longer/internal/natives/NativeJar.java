package ai.longer.internal.natives;

/**
 * A jar with the native library of one classifier. Each such jar provides this service, so that the
 * module system resolves it without a flag, and so that what is there can be listed before anything
 * is loaded.
 */
public interface NativeJar {
  /** Maven classifier, for example {@code linux-x86_64-cuda13}. */
  String classifier();
}
