package ai.longer.internal;

public final class NativeConfig { private NativeConfig() {}
  public static String normalize(String json) { throw new UnsupportedOperationException(); } }
