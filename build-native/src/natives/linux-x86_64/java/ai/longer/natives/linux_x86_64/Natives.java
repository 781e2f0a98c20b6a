package ai.longer.natives.linux_x86_64;

import ai.longer.internal.natives.NativeJar;

/** Says that this jar is there. */
public final class Natives implements NativeJar {
  @Override
  public String classifier() {
    return "linux-x86_64";
  }
}
