package ai.longer.internal;
import ai.longer.LongerConfig;

public final class ConfigJson { private ConfigJson() {}
  public static LongerConfig read(String json) { throw new UnsupportedOperationException(); }
  public static String write(LongerConfig c) { throw new UnsupportedOperationException(); } }
