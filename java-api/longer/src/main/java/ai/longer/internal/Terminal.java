package ai.longer.internal;

import java.io.Console;
import java.lang.reflect.Method;

/** Whether someone watches. */
public final class Terminal {
  private Terminal() {}

  /** Returns whether standard input and output are a terminal. */
  @SuppressWarnings("SystemConsoleNull") // It does return null before JDK 22.
  public static boolean isPresent() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      // From JDK 22 on there is a console without a terminal too.
      Method isTerminal = Console.class.getMethod("isTerminal");
      return (boolean) isTerminal.invoke(console);
    } catch (NoSuchMethodException e) {
      return true;
    } catch (ReflectiveOperationException e) {
      return false;
    }
  }
}
